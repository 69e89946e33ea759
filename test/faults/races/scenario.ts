import fc from 'fast-check'
import { statuses } from '../../../src/domain/task.ts'
import { type Ending, type TaskState, type Worker, workers } from './model.ts'

/** Numbers of tasks or packets, a bit each; none stands for all, so that most moves meet. */
type Some = number

export type Move =
  | { kind: 'cancel' | 'retry' | 'submit'; tasks: Some }
  | { kind: 'claim'; worker: Worker; packets: Some; served: boolean }
  | { kind: 'search'; worker: Worker; served: boolean }
  | {
      kind: 'finish'
      worker: Worker
      tasks: Some
      late: Some
      endings: readonly Ending[]
      settled: Some | undefined
    }
  | { kind: 'giveBack' | 'postpone'; worker: Worker; packets: Some }
  | { kind: 'sweep'; dead: Worker }
  | { kind: 'split'; packets: Some }
  | { kind: 'promote' }

/** `keeps`: its transaction stays open, with its locks, until the others have come as far as they can. */
export type Timed = { move: Move; keeps: boolean }

export type TaskSetup = Pick<TaskState, 'status' | 'attempt' | 'failures' | 'crashes' | 'worker' | 'due'> & {
  /** A row in the schedule from an earlier life. */
  stray: boolean
}
export type PacketSetup = { owner: Worker | null; members: Some }

export type Scenario = {
  tasks: readonly TaskSetup[]
  packets: readonly PacketSetup[]
  moves: readonly Timed[]
  /** One move after the other, each as far as it can come; or all at the same moment. */
  start: 'in order' | 'together'
}

const some = (count: number) => fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.nat(2 ** count - 1))
const mostTasks = 12
const mostPackets = 4
const worker = fc.constantFrom(...workers)

const task: fc.Arbitrary<TaskSetup> = fc.record({
  status: fc.constantFrom('absent' as const, ...statuses, 'pending', 'processing', 'processing'),
  attempt: fc.nat(2),
  failures: fc.nat(2),
  crashes: fc.nat(1),
  worker: fc.constantFrom(null, ...workers),
  due: fc.boolean(),
  stray: fc.boolean(),
})

const packet: fc.Arbitrary<PacketSetup> = fc.record({
  owner: fc.constantFrom(null, ...workers),
  members: some(mostTasks),
})

const tasks = some(mostTasks)
const packets = some(mostPackets)
const served = fc.nat(7).map((n) => n > 0)
const endings = fc.constantFrom<Ending[]>('completed', 'failed', 'scheduled', 'pending', 'crashed')

const move: fc.Arbitrary<Move> = fc.oneof(
  fc.record({ kind: fc.constantFrom('cancel', 'cancel', 'retry', 'submit'), tasks }),
  fc.record({ kind: fc.constant('claim'), worker, packets, served }),
  fc.record({ kind: fc.constant('search'), worker, served }),
  fc.record({
    kind: fc.constant('finish'),
    worker,
    tasks,
    late: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(2 ** mostTasks - 1)),
    endings: fc.array(endings, { minLength: 1, maxLength: mostTasks }),
    settled: fc.option(packets, { nil: undefined }),
  }),
  fc.record({ kind: fc.constantFrom('giveBack', 'postpone'), worker, packets }),
  fc.record({ kind: fc.constant('sweep'), dead: worker }),
  fc.record({ kind: fc.constant('split'), packets }),
  fc.record({ kind: fc.constant('promote') }),
)

/** Pairs and triples of moves on a handful of tasks that share packets. */
export const scenario: fc.Arbitrary<Scenario> = fc
  .record({
    tasks: fc.array(task, { minLength: 1, maxLength: mostTasks, size: 'max' }),
    packets: fc.array(packet, { maxLength: mostPackets - 1 }),
    moves: fc.array(fc.record({ move, keeps: fc.boolean() }), { minLength: 2, maxLength: 3 }),
    start: fc.constantFrom('in order', 'in order', 'together'),
  })
  .map(possible)

/** The numbers below `count` that `some` stands for. */
export function chosen(some: Some, count: number): number[] {
  const all = Array.from({ length: count }, (_, i) => i)
  const those = all.filter((i) => some & (1 << i))
  return those.length > 0 ? those : all
}

/** Mends what cannot be: each open task is where it will be found again. */
function possible({ tasks, packets, ...rest }: Scenario): Scenario {
  const mended = tasks.map(possibleTask)
  const all = packets
    .map(({ owner, members }) => ({ owner, members: chosen(members, tasks.length) }))
    .map(({ owner, members }) => ({ owner, members: members.filter((i) => mended[i]!.status !== 'absent') }))
    .filter(({ members }) => members.length > 0)
  for (const [i, { status, worker }] of mended.entries()) {
    const owner = status === 'processing' ? worker : null
    if (status !== 'pending' && status !== 'processing') continue
    if (!all.some((packet) => packet.owner === owner && packet.members.includes(i)))
      all.push({ owner, members: [i] })
  }
  const bits = all.map(({ owner, members }) => ({
    owner,
    members: members.reduce((sum, i) => sum | (1 << i), 0),
  }))
  return { ...rest, tasks: mended, packets: bits }
}

function possibleTask(task: TaskSetup): TaskSetup {
  const { status } = task
  if (status === 'absent') return { ...task, attempt: 0, failures: 0, crashes: 0, worker: null, due: false }
  const ran = ['processing', 'completed', 'failed'].includes(status)
  return {
    ...task,
    attempt: Math.max(task.attempt, ran ? 1 : 0),
    failures: Math.max(task.failures, status === 'failed' ? 1 : 0),
    worker: status === 'processing' ? (task.worker ?? 'a') : task.worker,
  }
}
