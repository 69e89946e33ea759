import type { Status } from '../../../src/domain/task.ts'

// What each move may make of one task, as the state table says it, without a word of SQL.

/** A worker of a scenario. */
export type Worker = 'a' | 'b'
export const workers: readonly Worker[] = ['a', 'b']

/** One task with everything that finds it again. Packets of the scenario go by their number; new ones have none. */
export type TaskState = {
  status: Status | 'absent'
  attempt: number
  failures: number
  crashes: number
  worker: Worker | null
  /** Whether its row in the schedule is due; says something while it is scheduled. */
  due: boolean
  /** Of which move its result or last error is. */
  mark: string | null
  /** The packets of the scenario that hold it, with their owners. */
  packets: ReadonlyMap<number, Worker | null>
  /** The owners of packets that were made since. */
  fresh: readonly (Worker | null)[]
  /** What sweeps found at their look and have not put back yet, by the name of the sweep. */
  found: ReadonlyMap<string, Found>
}

type Found = { packets: readonly number[]; fresh: number }

/** One atomic part of a move, seen from one task: the states that it may leave, none where its answer was a lie. */
export type Step = (before: TaskState) => readonly TaskState[]

export type Ending = 'completed' | 'failed' | 'scheduled' | 'pending' | 'crashed'

export function cancelStep(answer: { from: Status; changed: boolean } | undefined): Step {
  return (task) => {
    if (task.status === 'absent') return answer ? [] : [task]
    const open = ['scheduled', 'pending', 'processing'].includes(task.status)
    if (answer?.from !== task.status || answer.changed !== open) return []
    return [open ? { ...task, status: 'canceled' } : task]
  }
}

export function retryStep(answer: { from: Status; changed: boolean } | undefined): Step {
  return (task) => {
    if (task.status === 'absent') return answer ? [] : [task]
    const stopped = task.status === 'failed' || task.status === 'canceled'
    if (answer?.from !== task.status || answer.changed !== stopped) return []
    if (!stopped) return [task]
    const anew = { failures: 0, crashes: 0, worker: null, mark: null }
    return [{ ...packed(task), ...anew, status: 'pending' }]
  }
}

/** `withFresh`: the same statement may store another task, and its packet then carries this one, too. */
export function submitStep(withFresh: boolean): Step {
  return (task) => {
    if (task.status === 'absent') return [{ ...packed(task), status: 'pending' }]
    return withFresh ? [task, packed(task)] : [task]
  }
}

export type ClaimAnswer = {
  worker: Worker
  served: boolean
  /** Packets of the scenario that it took and that hold the task. */
  taken: readonly number[]
  started: { attempt: number; failures: number; crashes: number } | undefined
}

/** A claim of packets that were named: those that were nobody's it had to take. */
export function claimSteps(answer: ClaimAnswer, named: readonly number[]): Step[] {
  return startsWith(answer, (task) => {
    const free = [...task.packets].filter(([packet, owner]) => owner === null && named.includes(packet))
    return free.length === answer.taken.length ? take(task, answer, 0) : []
  })
}

/** A claim that looked for itself: it may pass some by, and may take packets that were made a moment ago. */
export function searchSteps(answer: ClaimAnswer): Step[] {
  return startsWith(answer, (task) => {
    const most = task.fresh.filter((owner) => owner === null).length
    return Array.from({ length: most + 1 }, (_, fresh) => take(task, answer, fresh)).flat()
  })
}

/**
 * A task that a claim starts it starts in one with taking the packet. One that it does not start was not pending when
 * it looked, or has no handler there; its packet may be taken a moment later.
 */
function startsWith({ worker, served, taken, started }: ClaimAnswer, takes: Step): Step[] {
  const isPending = (task: TaskState) => served && task.status === 'pending'
  if (!started) {
    const look: Step = (task) => (isPending(task) ? [] : [task])
    return taken.length > 0 ? [look, takes] : [takes]
  }
  const { attempt, failures, crashes } = started
  const isTold = (task: TaskState) =>
    attempt === task.attempt + 1 && failures === task.failures && crashes === task.crashes
  return [
    (task) => {
      if (!isPending(task) || !isTold(task)) return []
      const mine = takes(task).filter((after) => packetsOf(after, worker) > packetsOf(task, worker))
      return mine.map((after) => ({ ...after, status: 'processing', attempt, worker }))
    },
  ]
}

function packetsOf({ packets, fresh }: TaskState, worker: Worker): number {
  return [...packets.values(), ...fresh].filter((owner) => owner === worker).length
}

function take(task: TaskState, { worker, taken }: ClaimAnswer, fresh: number): TaskState[] {
  if (taken.some((packet) => task.packets.get(packet) !== null)) return []
  const freeFirst = task.fresh.toSorted((a, b) => Number(a !== null) - Number(b !== null))
  const packets = new Map(taken.map((packet) => [packet, worker] as const))
  return [
    {
      ...task,
      packets: new Map([...task.packets, ...packets]),
      fresh: freeFirst.map((owner, i) => (i < fresh ? worker : owner)),
    },
  ]
}

/** The outcome of one attempt, behind the fence. */
export function outcomeStep({
  attempt,
  ending,
  mark,
}: {
  attempt: number
  ending: Ending
  mark: string
}): Step {
  return (task) => {
    if (task.status !== 'processing' || task.attempt !== attempt) return [task]
    if (ending === 'completed') return [{ ...task, status: ending, mark }]
    if (ending === 'failed') return [{ ...task, status: ending, mark, failures: task.failures + 1 }]
    if (ending === 'scheduled') {
      return [{ ...task, status: ending, mark, failures: task.failures + 1, due: true }]
    }
    return [back(packed(task), ending === 'crashed')]
  }
}

/** A worker lets go of packets. */
export function settleStep(worker: Worker, settled: readonly number[]): Step {
  return (task) => {
    const packets = [...task.packets].filter(
      ([packet, owner]) => !(owner === worker && settled.includes(packet)),
    )
    return [{ ...task, packets: new Map(packets) }]
  }
}

/** Packets that were this worker's before go back. */
export function giveBackStep(worker: Worker, packets: readonly number[]): Step {
  return (task) => putBack(task, worker, { found: { packets, fresh: 0 }, crashed: false })
}

/** A sweep looks for the packets of a dead worker, and then puts back which of them are still there. */
export function sweepSteps(worker: Worker, sweep: string): Step[] {
  const look: Step = (task) => {
    const packets = [...task.packets].filter(([, owner]) => owner === worker).map(([packet]) => packet)
    const fresh = task.fresh.filter((owner) => owner === worker).length
    return [{ ...task, found: new Map(task.found).set(sweep, { packets, fresh }) }]
  }
  return [look, (task) => putBack(task, worker, { found: task.found.get(sweep)!, crashed: true })]
}

function putBack(
  task: TaskState,
  worker: Worker,
  { found, crashed }: { found: Found; crashed: boolean },
): TaskState[] {
  const lost = found.packets.filter((packet) => task.packets.get(packet) === worker)
  const mine = task.fresh.filter((owner) => owner === worker)
  const lostFresh = mine.slice(0, found.fresh)
  const rest = {
    ...task,
    packets: new Map([...task.packets].filter(([packet]) => !lost.includes(packet))),
    fresh: [...task.fresh.filter((owner) => owner !== worker), ...mine.slice(found.fresh)],
  }
  const ran = task.status === 'processing' && task.worker === worker
  const carries = lost.length + lostFresh.length
  if (carries === 0 || (!ran && task.status !== 'pending')) return [rest]
  const carried = Array.from({ length: carries }).reduce<TaskState>(packed, rest)
  // A suspect ran apart from its worker, whose death says no more about it.
  const isNewSuspect = crashed && carried.crashes === 0
  return [ran ? back(carried, isNewSuspect) : carried]
}

/** It may pass by what somebody else holds at that moment. */
export const promoteStep: Step = (task) => {
  if (task.status !== 'scheduled' || !task.due) return [task]
  return [task, { ...packed(task), status: 'pending' }]
}

export function postponeStep(worker: Worker, packets: readonly number[]): Step {
  return (task) => {
    const holds = packets.some((packet) => task.packets.get(packet) === worker)
    return [holds && task.status === 'pending' ? { ...task, status: 'scheduled', due: false } : task]
  }
}

/** `large`: the packets that have more than one task. */
export function splitStep(packets: readonly number[], large: readonly number[]): Step {
  return (task) => {
    const whole = packets.filter((packet) => large.includes(packet) && task.packets.get(packet) === null)
    const kept = new Map([...task.packets].filter(([packet]) => !whole.includes(packet)))
    return [whole.reduce<TaskState>(packed, { ...task, packets: kept })]
  }
}

/** What can be compared of two states: a row that the schedule keeps of a task that moved on says nothing. */
export function visible({ due, packets, fresh, found: _, ...task }: TaskState) {
  return {
    ...task,
    due: task.status === 'scheduled' ? due : null,
    packets: Object.fromEntries([...packets].toSorted(([a], [b]) => a - b)),
    fresh: fresh.toSorted((a, b) => (a ?? '').localeCompare(b ?? '')),
  }
}

function packed(task: TaskState): TaskState {
  return { ...task, fresh: [...task.fresh, null] }
}

function back(task: TaskState, crashed: boolean): TaskState {
  return { ...task, status: 'pending', worker: null, crashes: task.crashes + (crashed ? 1 : 0) }
}
