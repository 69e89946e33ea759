import type { LogPosition, Move, MoveFilter, Sighting } from './event.ts'
import type { ClaimedTask, Outcome, Verdict } from './outcome.ts'
import type { PacketId, PacketRange, PacketRef } from './packet.ts'
import type { ProgressReport } from './progress.ts'
import type { Snapshot, Stats } from './stats.ts'
import type { NewBatch, NewTask } from './submission.ts'
import type { Priority, Status, Task, TaskDetail, TaskHistory, TaskSummary } from './task.ts'

/**
 * The moves of tasks. Each is one statement or one transaction, and each may be repeated: after a lost
 * connection nobody knows whether it was committed. Fails with StoreUnavailableError while the database is away.
 */
export type TaskStore = {
  /** Stores tasks and the packets that carry them, all or nothing. */
  submit(load: Load): Promise<Stored>
  /**
   * Stores tasks that have idempotency keys. A task whose key is taken is left out; with `allOrNothing`, nothing is
   * stored if one of them had another body. `loadOf` makes the load of those that remain.
   */
  submitKeyed(
    tasks: readonly NewTask[],
    options: { allOrNothing: boolean; loadOf: (fresh: readonly NewTask[]) => Load },
  ): Promise<KeyedStored>
  /** Cancels what is scheduled, pending or processing; one answer for each id that exists, in no order. */
  cancel(ids: readonly string[]): Promise<Change[]>
  /** Makes what is failed or canceled pending again with fresh attempts. */
  retry(ids: readonly string[]): Promise<{ changes: Change[]; packets: PacketRef[] }>
}

/** What one submitting statement stores: `packets` are ranges of `now`. */
export type Load = {
  now: readonly NewTask[]
  packets: readonly PacketRange[]
  later: readonly NewTask[]
  batches: readonly NewBatch[]
}

/** `at`: the database's instant, RFC 3339. */
export type Stored = { at: string; packets: PacketRef[] }
/** `keyed`: for each task in order, the id that its key has, which is its own when it is fresh. */
export type KeyedStored = Stored & { keyed: { id: string; fresh: boolean; sameBody: boolean }[] }

/** `changed` is false where the status did not allow it; `from` is the status before, `task` is as it was left. */
export type Change = { task: Task; from: Status; changed: boolean }

/** What a worker does with packets. */
export type WorkLedger = {
  /** Takes packets and starts their tasks, as many as fit into `want.room` slots. */
  claim(worker: WorkerIdentity, want: Want): Promise<Claim>
  /** Writes outcomes behind the fence, then lets go of the packets of which nothing is left. Repeats are harmless; answers the packets of what was handed back. */
  finish(workerId: string, outcomes: readonly Outcome[], settled: readonly PacketId[]): Promise<PacketRef[]>
  /** Puts the pending tasks of packets that this worker cannot serve back into the schedule, later each time. */
  postpone(workerId: string, packets: readonly PacketId[]): Promise<void>
  /** Cuts unclaimed packets that are too large for this worker into smaller ones. */
  split(packets: readonly PacketId[], limit: number): Promise<PacketRef[]>
  /** The packets that the ledger says this worker holds. */
  held(workerId: string): Promise<PacketId[]>
  /** Gives packets back: of each, what is still processing under this worker becomes pending, unspent. */
  giveBack(workerId: string, packets: readonly PacketId[]): Promise<PacketRef[]>
  /** Of these attempts, those that are not this worker's any more. */
  lapsed(workerId: string, attempts: readonly AttemptRef[]): Promise<AttemptRef[]>
}

export type AttemptRef = { id: string; attempt: number }

export type WorkerIdentity = { id: string; types: readonly string[]; packetLimit: number }

/**
 * The one difference between the transports: the ledger is searched, `look` packets far, or messages named the packets.
 * `unsent`: only for packets that the broker has not been sent.
 */
export type Want = { room: number } & (
  | { queues: readonly string[]; look: number; unsent?: boolean }
  /** `without`: packets of these queues are left, whatever the messages say. */
  | { packets: readonly PacketId[]; without?: readonly string[] }
  /** What the limits of this queue let start now, on either transport. */
  | { gate: string }
)

export type Claim = {
  tasks: ClaimedTask[]
  /** Packets that are this worker's now, each with the number of its tasks that were started. */
  packets: { id: PacketId; started: number; size: number }[]
  /** Packets that were left because they are larger than this worker's limit. */
  oversized: PacketId[]
  /** Packets that were seen and left because there was no room for them. */
  blocked: PacketId[]
  /** Of a queue with limits: whether tasks wait for their turn, and when the next may start if that is known. */
  gate?: { waits: boolean; nextInMs: number | null }
}

/** The ledger as the transactional outbox of the broker. */
export type Outbox = {
  /** Packets that were committed and not yet marked as sent, oldest first; those of some places left out. */
  unsent(limit: number, without: readonly Place[]): Promise<PacketRef[]>
  markSent(packets: readonly PacketId[]): Promise<void>
  /** How many packets are with the broker: sent and not claimed. Counts no further than `limit`. */
  outstanding(limit: number): Promise<number>
  /** Places in which a packet has been with the broker for longer than `ageMs`, with the database's instant now. */
  overdue(ageMs: number): Promise<(Place & { at: string })[]>
  /** Makes packets of a place that were sent before `at` and are still unclaimed unsent again. Answers how many. */
  resend(place: Place, at: string): Promise<number>
}

/** Packets of one queue and priority wait together. */
export type Place = { queue: string; priority: Priority }

/** The broker, sending side. */
export type Publisher = {
  /** Resolves with the ids that the broker has confirmed and routed to a queue. Others stay unsent. */
  publish(packets: readonly PacketRef[]): Promise<PacketId[]>
  /** Places to which nothing can be sent at the moment, although the broker is there. */
  unserved(): readonly Place[]
  /** Sends a marker through the same queue as the packets of that place. */
  mark(place: Place, at: string): Promise<void>
}

/** How a worker learns which packets there are. */
export type PacketSource = {
  /**
   * Waits until there may be work, or until `signal` aborts, then answers what to claim with that much room;
   * nothing when the wait was in vain.
   */
  next(room: number, signal: AbortSignal): Promise<Want | undefined>
  /** To be called when the claim is committed: what it took, what must be offered again, and whether it found anything. */
  claimed(want: Want, claim: Claim): void
  /** To be called when the claim failed: everything it named is offered again. */
  failed(want: Want): void
  /** Room came free. */
  roomFreed(): void
  /** An outcome was stored, and counts no more where limits are counted. */
  stored?(): void
}

/** Housekeeping of the ledger. Any number of processes may do it at the same time. */
export type Upkeep = {
  /** Moves tasks that are due from the schedule to pending. Answers their packets, and when the next one is due. */
  promote(limit: number, packetSize: number): Promise<{ packets: PacketRef[]; nextInMs: number | null }>
  /** Puts back the packets of dead workers; `again`: someone is missing, look once more soon. */
  sweep(
    leaseMs: number,
    mayJudge: boolean,
  ): Promise<{ workers: string[]; packets: PacketRef[]; again: boolean }>
  /** Looks whether somebody listens to moves; to be called several times a second. */
  lookForListeners(): Promise<void>
  /** Lets go of the moves that were written down a while ago. */
  forgetMoves(): Promise<void>
  /** Adds the counters of closed connections to one row each. */
  foldCounters(): Promise<void>
  /** Writes down the counts of this moment, for rates. */
  sampleCounts(): Promise<void>
  /** Makes partitions ahead of time. */
  keepPartitions(retentionDays: number): Promise<void>
  /** Lets go of finished tasks that are older than the retention. */
  retire(retentionDays: number): Promise<void>
}

/** Workers as they announce themselves. */
export type WorkerRegistry = {
  list(): Promise<WorkerInfo[]>
  /** Live workers by queue: how many, and the smallest concurrency among them. */
  capacities(): Promise<Map<string, { workers: number; smallestConcurrency: number }>>
}

export type WorkerInfo = {
  id: string
  host: string
  pid: number
  version: string
  queues: string[]
  types: string[]
  concurrency: number
  running: number
  startedAt: string
  lastSeenAt: string
}

/** The looks at tasks. */
export type TaskReader = {
  get(id: string): Promise<TaskDetail | undefined>
  /** Several tasks without their history, in no order. */
  getMany(ids: readonly string[]): Promise<Task[]>
  /** Several tasks with their history, in no order. */
  details(ids: readonly string[]): Promise<TaskDetail[]>
  /** Of these, the ids whose task is final. */
  settled(ids: readonly string[]): Promise<string[]>
  /** Of tasks that were seen like this, those that are different now, as they are. */
  changed(seen: readonly Sighting[]): Promise<Sighting[]>
  list(filter: TaskFilter): Promise<TaskPage>
  stats(): Promise<Stats>
  /** The same with the newest task. */
  snapshot(): Promise<Snapshot>
  historyOf(task: { id: string; attempt: number }): Promise<TaskHistory>
}

/** Moves of tasks, written down while somebody listens. */
export type MoveLog = {
  /** Has the moves written down that the filter wants, for a minute, from the moment when all processes know. */
  listen(listener: string, filter: MoveFilter): Promise<void>
  /** An empty page at this moment. */
  here(): Promise<LogPage>
  /** For another minute, unless the last one is over or was for another filter: then false, and some moves are missing. */
  keepListening(listener: string, filter: MoveFilter): Promise<boolean>
  /** The next moves after a position, as far as `upTo` saw, or as of now. */
  read(from: LogPosition, upTo?: string): Promise<LogPage>
}

export type LogPage = { moves: Move[]; position: LogPosition; atMs: number }

/** Where handlers' reports go. */
export type ProgressStore = {
  /** Keeps the reports of attempts that are their tasks' latest, one for each task. Repeats are harmless. */
  report(reports: readonly ProgressReport[]): Promise<void>
}

/** Which tasks are meant. Whatever is named must be so. */
export type TaskScope = {
  status?: readonly Status[]
  /** With a `*` at its end: all types that begin so. */
  type?: string
  queue?: string
  key?: string
  batchId?: string
  workerId?: string
  /** Only failed tasks, of failures that are alike. */
  fingerprint?: string
  createdAfter?: string
  createdBefore?: string
  youngerThanMs?: number
  olderThanMs?: number
  /** Only these, however many. */
  ids?: readonly string[]
  /** Only tasks whose id is not higher. */
  upTo?: string
}

export type TaskFilter = TaskScope & {
  /** With ids, all are on one page. */
  limit: number
  /** Only tasks older than this id: where the last page ended. */
  before?: string
  /** Only tasks newer than this id, the oldest of them: where the page before ended. */
  after?: string
  include: { payload: boolean; result: boolean }
}

export type TaskPage = {
  tasks: TaskSummary[]
  /** Where older tasks go on, as `before`; null at the end. */
  next: string | null
  /** Where newer tasks go on, as `after`; null where there were none when the page was read. */
  prev: string | null
  /** Set when the time limit ended the search before the page was full: everything up to there was looked at. */
  searchedTo: string | null
}

/** Told from outside any transaction, and never relied on: polling finds everything a moment later. */
export type Notices = {
  /** Packets are waiting. Debounced. */
  packetsWaiting(): void
  /** These attempts' tasks were canceled while they ran. By attempt, since the task may be retried before this is heard. */
  canceled(attempts: readonly AttemptRef[]): void
  /** A queue was paused or resumed, or has other limits. */
  queuesChanged(): void
}

/** Runs handlers. */
export type Runner = {
  types: readonly string[]
  /** Runs one attempt to its verdict. Never rejects. */
  run(task: ClaimedTask): Promise<Verdict>
  /** Aborts an attempt's signal and ends it as interrupted, whether its handler listens or not. */
  abort(id: string, attempt: number, reason: AbortReason): void
}

export type AbortReason = 'canceled' | 'lost' | 'shutdown'

/** Structured lines: fields first, then a sentence. */
export type Log = Record<'debug' | 'info' | 'warn' | 'error', (fields: object, message: string) => void>

/** Resolves after that time; rejects as soon as the signal aborts. */
export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>
