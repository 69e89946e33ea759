import { expectedCapacity, type PacketRef, pack } from '../domain/packet.ts'
import type { Log } from '../domain/ports.ts'
import {
  type CronTimes,
  type DueSchedule,
  type ScheduleStore,
  type Tick,
  timesDue,
} from '../domain/schedule.ts'
import type { NewTask } from '../domain/submission.ts'
import { reportTo } from './report.ts'

export type TickDeps = {
  schedules: Pick<ScheduleStore, 'nextInMs' | 'tick'>
  cron: CronTimes
  newId: () => string
  announce: (packets: readonly PacketRef[]) => void
  log: Log
}

/** How late a schedule may be heard of that another process was told of. */
const lookEveryMs = 1_000
/** What is due and did not move is in another process's hands. */
const lookAgainMs = 50
const schedulesAtOnce = 100
const tasksAtOnce = 100
/** What a transaction stores stays within some 16 MB, with a task at least. */
const charactersAtOnce = 16_000_000

/** Submits what schedules name for times that have come. Answers how long to wait for the next. Any process may, at any time. */
export async function tickSchedules(deps: TickDeps): Promise<number> {
  const nextInMs = await deps.schedules.nextInMs()
  if (nextInMs === null || nextInMs > 0) return Math.min(lookEveryMs, nextInMs ?? lookEveryMs)
  const { ticks, packets } = await deps.schedules.tick(schedulesAtOnce, planning(deps), loadOf)
  deps.announce(packets)
  return ticks > 0 ? 0 : lookAgainMs
}

/** The plan of one round: what no longer fits into it stays due. */
function planning({ cron, newId, log }: TickDeps): (due: DueSchedule, nowMs: number) => Tick | undefined {
  let room = tasksAtOnce
  let characters = charactersAtOnce
  return (schedule, nowMs) => {
    const { length } = schedule.task.payload
    const fitting = Math.min(room, Math.floor(characters / Math.max(1, length)))
    if (fitting < 1 && room < tasksAtOnce) return undefined
    try {
      const { times, nextAtMs } = timesDue({ cron, schedule, most: Math.max(1, fitting) }, nowMs)
      room -= times.length
      characters -= times.length * length
      return { name: schedule.name, tasks: times.map((time) => taskAt(schedule, time, newId())), nextAtMs }
    } catch (error) {
      // Another process made it, which knows the time zone: that one submits its tasks.
      reportTo(log, error, 'this process cannot follow a schedule', { schedule: schedule.name })
      return undefined
    }
  }
}

/** Its key names the schedule and the time, so that a time has one task whatever becomes of the schedule. */
function taskAt({ name, task }: DueSchedule, timeMs: number, id: string): NewTask {
  return { ...task, id, due: 'now', idempotencyKey: `schedule:${name}:${new Date(timeMs).toISOString()}` }
}

function loadOf(fresh: readonly NewTask[]) {
  const { tasks: now, packets } = pack(fresh, () => expectedCapacity)
  return { now, packets, later: [], batches: [] }
}
