import type { ClientLine, HandlerLine, RigLine } from '../system/ledger.ts'
import type { Transport } from '../trial/fault.ts'
import type { Snapshot, TaskRow } from './snapshot.ts'

/** All that is known of a run: what the client was answered, what handlers did, what the rig did, what is stored. */
export type Evidence = {
  transport: Transport
  client: readonly ClientLine[]
  handlers: readonly HandlerLine[]
  rig: readonly RigLine[]
  database: Snapshot
  /** The types that do wrong, and how. All others are innocent: they never fail. */
  guilty: Readonly<Record<string, Guilt>>
  /** After which a silent worker is declared dead, milliseconds. */
  leaseMs: number
}

/** What a type of task does wrong. */
export type Guilt = {
  /** How often it fails at most, between two explicit retries. */
  failures: number
  /** Whether it ends as failed, unless it is canceled. */
  ends: 'completed' | 'failed' | 'either'
  /** The name of the error with which it ends. */
  error?: string
}

/** The promises of docs/design.md, and one more that the rig makes: a repeated start has a reason. */
export type Promised =
  | '1 an accepted task survives'
  | '2 every task becomes final'
  | '3 a final status stays, with one outcome'
  | '4 nothing starts or is stored after a cancellation'
  | '5 counts are exact'
  | '6 every statement may be repeated'
  | '7 who kills its process fails alone'
  | '8 in an outage clients wait and processes stay'
  | 'a repeated start has a reason'
  | 'what comes after a batch comes once'
  | 'who is to be told of an end is told'

/** The figures that count the tasks of some violations. */
export type Tally = 'lost' | 'doubleCompleted' | 'lateResults' | 'startsAfterCancel' | 'innocentsFailed'

export type Violation = { promise: Promised; saw: string; id?: string | undefined; tally?: Tally }

/** Looks at a run from one side. */
export type Check = (evidence: Evidence, stories: Stories) => Iterable<Violation>

export type Attempt = {
  attempt: number
  member: string
  startedAt: number
  finishedAt: number | undefined
  abortedAt: number | undefined
}

/** A request about a task, and what came back: `status` 0 stands for no answer. */
export type Request = { sentAt: number; at: number; status: number; taskStatus?: string; attempt?: number }

/** What the ledgers and the database say of one task. */
export type Story = {
  id: string
  row: TaskRow | undefined
  /** Its submission was answered with its id. */
  isAccepted: boolean
  cancels: Request[]
  retries: Request[]
  reads: Request[]
  /** In the order of their number. */
  attempts: Attempt[]
  /** Attempts for which a second start was written down. */
  startedTwice: Attempt[]
  /** When each attempt failed that is remembered as failed. */
  failedAttempts: Map<number, number>
}

export type Stories = ReadonlyMap<string, Story>

/** Joins the ledgers with the database, task by task. */
export function storiesOf({ client, handlers, database }: Evidence): Stories {
  const stories = new Map<string, Story>()
  // The system's own have no handler that writes lines.
  const own = new Set(database.tasks.flatMap(({ id, type }) => (type.startsWith('millrace.') ? [id] : [])))
  for (const row of database.tasks) if (!own.has(row.id)) story(row.id).row = row
  for (const { id, attempt, at } of database.failedAttempts)
    if (!own.has(id)) story(id).failedAttempts.set(attempt, at)
  for (const line of client) tell(line)
  addAttempts(handlers, story)
  return stories

  function story(id: string): Story {
    const known = stories.get(id) ?? blank(id)
    stories.set(id, known)
    return known
  }

  function tell(line: ClientLine): void {
    if (line.what === 'submitted') for (const id of line.ids) story(id).isAccepted = true
    if (line.what === 'canceled') story(line.id).cancels.push(line)
    if (line.what === 'retried') story(line.id).retries.push(line)
    if (line.what === 'read') story(line.id).reads.push(line)
    if (line.what === 'refused' && line.id !== undefined) tellRefused(story(line.id), line)
  }
}

/** What was not answered as wanted may have been done all the same. */
function tellRefused(
  { cancels, retries, reads }: Story,
  line: Extract<ClientLine, { what: 'refused' }>,
): void {
  if (line.request.includes('cancel')) cancels.push(line)
  else if (line.request.includes('retry')) retries.push(line)
  else reads.push(line)
}

function addAttempts(lines: readonly HandlerLine[], story: (id: string) => Story): void {
  const known = new Map<string, Attempt>()
  // A faster process may have written its line earlier than another whose time comes first.
  for (const line of lines.toSorted((a, b) => a.at - b.at)) {
    const key = `${line.id} ${line.attempt}`
    const attempt = known.get(key)
    if (line.what === 'started') {
      const begun = attemptOf(line)
      const { attempts, startedTwice } = story(line.id)
      if (attempt) startedTwice.push(begun)
      else attempts.push(begun)
      known.set(key, attempt ?? begun)
    } else if (attempt && line.what === 'finished') attempt.finishedAt = line.at
    else if (attempt) attempt.abortedAt = line.at
  }
  for (const id of new Set(lines.map((line) => line.id)))
    story(id).attempts.sort((a, b) => a.attempt - b.attempt)
}

function attemptOf({ attempt, member, at }: HandlerLine): Attempt {
  return { attempt, member, startedAt: at, finishedAt: undefined, abortedAt: undefined }
}

function blank(id: string): Story {
  return {
    id,
    row: undefined,
    isAccepted: false,
    cancels: [],
    retries: [],
    reads: [],
    attempts: [],
    startedTwice: [],
    failedAttempts: new Map(),
  }
}

/** Whether a retry may have been carried out between two instants: also one whose answer did not arrive. */
export function mayHaveBeenRetried({ retries }: Story, from: number, until: number): boolean {
  return retries.some((retry) => mayHaveComeBetween(retry, from, until))
}

export function mayHaveComeBetween(request: Request, from: number, until: number): boolean {
  return request.sentAt < until && (request.at > from || isUnknown(request))
}

/** Whether nobody knows if the request was carried out, or when. */
export function isUnknown({ status }: Request): boolean {
  return status === 0 || status >= 500
}
