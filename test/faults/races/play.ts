import type { ClaimedTask, Outcome } from '../../../src/domain/outcome.ts'
import type { Change, Claim } from '../../../src/domain/ports.ts'
import { claim } from '../../../src/storage/claim.ts'
import type { Database } from '../../../src/storage/connection.ts'
import { finish } from '../../../src/storage/finish.ts'
import { giveBack, postpone, split } from '../../../src/storage/held-packets.ts'
import { promote } from '../../../src/storage/schedule.ts'
import { createSweeper } from '../../../src/storage/sweep.ts'
import { taskStore } from '../../../src/storage/tasks.ts'
import { leaseMs } from '../../../src/usecases/housekeep.ts'
import {
  cancelStep,
  claimSteps,
  type Ending,
  giveBackStep,
  outcomeStep,
  postponeStep,
  promoteStep,
  retryStep,
  type Step,
  searchSteps,
  settleStep,
  splitStep,
  submitStep,
  sweepSteps,
  type TaskState,
  type Worker,
} from './model.ts'
import { chosen, type Move, type Scenario } from './scenario.ts'
import type { Cast, Stage } from './stage.ts'

/** What a move was for each task: its steps with the answers that were given. Empty where it did not touch the task. */
export type Played = readonly (readonly Step[])[]

type Scene = { scenario: Scenario; cast: Cast; before: readonly TaskState[] }
type Running = {
  /** Resolves when the move is made, though it may not be committed yet. */
  made: Promise<void>
  isMade: boolean
  release: () => void
  done: Promise<Played>
}

/** Makes the moves of a scenario as concurrently as it says. */
export async function play(stage: Stage, scene: Scene): Promise<{ played: Played[]; waits: number }> {
  const running: Running[] = []
  try {
    const waits = await meet(stage, scene, running)
    return { played: await Promise.all(running.map(({ done }) => done)), waits }
  } finally {
    for (const { release } of running) release()
    await Promise.allSettled(running.map(({ done }) => done))
  }
}

/** Begins all moves, then lets go of their locks one after the other. Answers how many were seen waiting for one. */
async function meet(stage: Stage, scene: Scene, running: Running[]): Promise<number> {
  const { moves, start } = scene.scenario
  let waits = 0
  for (const [i, { move, keeps }] of moves.entries()) {
    running.push(begin(stage.moves, (database) => make(database, scene, { move, mark: `by ${i}` }), keeps))
    if (start === 'in order') waits += await standstill(stage, running)
  }
  if (start === 'together') waits += await standstill(stage, running)
  for (const { release } of running) {
    release()
    await standstill(stage, running)
  }
  return waits
}

function begin(database: Database, move: (database: Database) => Promise<Played>, keeps: boolean): Running {
  const made = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  const within = () =>
    database.transaction(async (run) => {
      const played = await move({ ...database, run, transaction: (work) => work(run) })
      made.resolve()
      await released.promise
      return played
    })
  const done = keeps ? within() : move(database)
  const running = { made: made.promise, isMade: false, release: released.resolve, done }
  done.then(
    () => made.resolve(),
    () => made.resolve(),
  )
  void made.promise.then(() => {
    running.isMade = true
  })
  return running
}

/** Longer than any move takes that does not wait, on a busy machine, too. */
const longestLookMs = 5_000

/** Resolves when each move that was begun is made or waits for a lock. Answers how many wait. */
async function standstill(stage: Stage, running: readonly Running[]): Promise<number> {
  await Promise.race([running.at(-1)!.made, new Promise(setImmediate)])
  for (const untilMs = performance.now() + longestLookMs; ; ) {
    const open = running.filter(({ isMade }) => !isMade).length
    if (open === 0) return 0
    const waiting = await stage.waiting()
    if (waiting >= running.filter(({ isMade }) => !isMade).length || performance.now() > untilMs)
      return waiting
  }
}

type Wish<M extends Move> = { move: M; mark: string }

function make(database: Database, scene: Scene, { move, mark }: Wish<Move>): Promise<Played> {
  switch (move.kind) {
    case 'cancel':
    case 'retry':
      return change(database, scene, { move, mark })
    case 'submit':
      return submit(database, scene, { move, mark })
    case 'claim':
    case 'search':
      return take(database, scene, { move, mark })
    case 'finish':
      return end(database, scene, { move, mark })
    case 'promote':
      return promote(database, 100, 2).then(() => each(scene, () => [promoteStep]))
    case 'sweep':
      return sweep(database, scene, mark)
    case 'giveBack':
    case 'postpone':
    case 'split':
      return movePackets(database, scene, { move, mark })
  }
}

function each({ cast }: Scene, steps: (task: string, i: number) => readonly Step[]): Played {
  return cast.tasks.map(steps)
}

async function change(
  database: Database,
  scene: Scene,
  { move }: Wish<Extract<Move, { kind: 'cancel' | 'retry' | 'submit' }>>,
): Promise<Played> {
  const meant = chosen(move.tasks, scene.cast.tasks.length)
  const ids = meant.map((i) => scene.cast.tasks[i]!)
  const store = taskStore(database)
  const changes = move.kind === 'cancel' ? await store.cancel(ids) : (await store.retry(ids)).changes
  const answers = new Map<string, Change>(changes.map((change) => [change.task.id, change]))
  const step = move.kind === 'cancel' ? cancelStep : retryStep
  return each(scene, (id, i) => (meant.includes(i) ? [step(answers.get(id))] : []))
}

async function submit(
  database: Database,
  scene: Scene,
  { move }: Wish<Extract<Move, { kind: 'cancel' | 'retry' | 'submit' }>>,
): Promise<Played> {
  const { cast, before } = scene
  const meant = chosen(move.tasks, cast.tasks.length)
  const common = { payload: '1', type: 'plain', queue: cast.queue, priority: 'normal', due: 'now' } as const
  const now = meant.map((i) => ({ id: cast.tasks[i]!, ...common }))
  const packet = { queue: cast.queue, priority: common.priority, first: 0, last: now.length - 1 }
  await taskStore(database).submit({ now, packets: [packet], later: [], batches: [] })
  const withFresh = meant.some((i) => before[i]!.status === 'absent')
  return each(scene, (_, i) => (meant.includes(i) ? [submitStep(withFresh)] : []))
}

async function take(
  database: Database,
  scene: Scene,
  { move }: Wish<Extract<Move, { kind: 'claim' | 'search' }>>,
): Promise<Played> {
  const { cast } = scene
  const { worker, served } = move
  const who = { id: cast.workers[worker], types: [served ? 'plain' : 'strange'], packetLimit: 100 }
  const named = move.kind === 'claim' ? packetsOf(cast, move.packets) : []
  const want = move.kind === 'claim' ? { packets: named } : { queues: [cast.queue], look: 100 }
  const answer: Claim = await claim(database, who, { room: 1_000, ...want })
  return each(scene, (id, i) => {
    const told = {
      worker,
      served,
      taken: answer.packets.map((packet) => packet.id).filter((packet) => holds(cast, packet, i)),
      started: answer.tasks.find((task) => task.id === id),
    }
    return move.kind === 'claim' ? claimSteps(told, named) : searchSteps(told)
  })
}

async function end(
  database: Database,
  scene: Scene,
  { move, mark }: Wish<Extract<Move, { kind: 'finish' }>>,
): Promise<Played> {
  const { cast, before } = scene
  const { worker, endings } = move
  const meant = chosen(move.tasks, cast.tasks.length)
  const late = move.late === 0 ? [] : chosen(move.late, cast.tasks.length)
  const ends = meant.map((i, at) => {
    const attempt = before[i]!.attempt - (late.includes(i) ? 1 : 0)
    return { i, attempt, ending: endings[at % endings.length]!, mark }
  })
  // Like a worker, which lets a packet go with the last of its attempts and not before.
  const isOver = (packet: number) =>
    before.every(({ status, worker: runs, attempt }, i) => {
      const isOpen = status === 'processing' && runs === worker && holds(cast, packet, i)
      return !isOpen || ends.some((end) => end.i === i && end.attempt === attempt)
    })
  const settled = move.settled === undefined ? [] : ownPackets(cast, worker, move.settled).filter(isOver)
  const outcomes = ends.map(({ i, attempt, ending }) => {
    return outcomeAs(ending, { task: { id: cast.tasks[i]!, attempt } as ClaimedTask, mark })
  })
  await finish(database, cast.workers[worker], { outcomes, settled })
  return each(scene, (_, i) => [
    ...ends.filter((end) => end.i === i).map(outcomeStep),
    ...(settled.some((packet) => holds(cast, packet, i)) ? [settleStep(worker, settled)] : []),
  ])
}

function outcomeAs(ending: Ending, { task, mark }: { task: ClaimedTask; mark: string }): Outcome {
  const failed = { failure: { name: 'Error', message: mark, attempt: task.attempt }, maxAttempts: 3 }
  switch (ending) {
    case 'completed':
      return { task, status: 'completed', result: JSON.stringify(mark) }
    case 'failed':
      return { task, status: 'failed', ...failed }
    case 'scheduled':
      return { task, status: 'scheduled', ...failed, delayMs: 0 }
    case 'pending':
    case 'crashed':
      return { task, status: 'pending', crashed: ending === 'crashed' }
  }
}

async function sweep(database: Database, scene: Scene, mark: string): Promise<Played> {
  const { workers } = await createSweeper(database)(leaseMs, true)
  const names = Object.entries(scene.cast.workers).filter(([, id]) => workers.includes(id))
  return each(scene, () => names.flatMap(([name]) => sweepSteps(name as Worker, mark + name)))
}

async function movePackets(
  database: Database,
  scene: Scene,
  { move }: Wish<Extract<Move, { kind: 'giveBack' | 'postpone' | 'split' }>>,
): Promise<Played> {
  const { cast } = scene
  if (move.kind === 'split') {
    const packets = packetsOf(cast, move.packets)
    await split(database, packets, 1)
    const large = cast.packets.filter(({ members }) => members.length > 1).map(({ id }) => id)
    return each(scene, () => [splitStep(packets, large)])
  }
  const worker = cast.workers[move.worker]
  const own = ownPackets(cast, move.worker, move.packets)
  if (move.kind === 'postpone') {
    await postpone(database, worker, own)
    return each(scene, () => [postponeStep(move.worker, own)])
  }
  await giveBack(database, worker, { packets: own, crashed: false })
  return each(scene, () => [giveBackStep(move.worker, own)])
}

/** What a worker knows that it holds. */
function ownPackets(cast: Cast, worker: Worker, some: number): number[] {
  const own = cast.packets.filter(({ owner }) => owner === worker).map(({ id }) => id)
  return packetsOf(cast, some).filter((packet) => own.includes(packet))
}

function packetsOf(cast: Cast, some: number): number[] {
  return chosen(some, cast.packets.length).map((i) => cast.packets[i]!.id)
}

function holds(cast: Cast, packet: number, task: number): boolean {
  return cast.packets.some(({ id, members }) => id === packet && members.includes(task))
}
