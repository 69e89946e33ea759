import { TaskError } from '../domain/errors.ts'
import type { CronRule, CronTimes, Schedule, ScheduleDefinition, ScheduleStore } from '../domain/schedule.ts'
import type { UseCases } from './index.ts'

export type SchedulingDeps = {
  schedules: Omit<ScheduleStore, 'nextInMs' | 'tick'>
  cron: CronTimes
  submitTask: UseCases['submitTask']
}

/** A schedule with the times that come next; none while it is paused. */
export type ScheduleView = Schedule & { nextRuns: string[] }

/** A fault of a rule, or the schedule that was put. */
export type PutSchedule =
  | NonNullable<ReturnType<CronTimes['faultOf']>>
  | { schedule: ScheduleView; created: boolean }

export type ScheduleUseCases = {
  /** Makes or replaces a schedule; one that is paused stays so. */
  putSchedule(definition: ScheduleDefinition): Promise<PutSchedule>
  getSchedule(name: string): Promise<ScheduleView>
  listSchedules(page: { limit: number; after?: string }): Promise<ScheduleView[]>
  removeSchedule(name: string): Promise<ScheduleView>
  pauseSchedule(name: string): Promise<ScheduleView>
  resumeSchedule(name: string): Promise<ScheduleView>
  /** Submits its task now, whatever the clock says and also while it is paused. */
  runSchedule(name: string, idempotencyKey?: string): ReturnType<UseCases['submitTask']>
}

const runsShown = 5

/** Making schedules and looking at them; `tick.ts` is what follows them. */
export function scheduling({ schedules, cron, submitTask }: SchedulingDeps): ScheduleUseCases {
  const nextAtMs = (rule: CronRule, nowMs: number) => cron.after(rule, nowMs, 1)[0]!

  return {
    async putSchedule(definition) {
      const nowMs = await schedules.nowMs()
      const fault = cron.faultOf(definition, nowMs)
      if (fault) return fault
      const { schedule, created } = await schedules.put(definition, nextAtMs(definition, nowMs))
      return { schedule: view(schedule), created }
    },
    getSchedule: async (name) => view(found(name, await schedules.get(name))),
    listSchedules: async (page) => (await schedules.list(page)).map(view),
    removeSchedule: async (name) => view(found(name, await schedules.remove(name))),
    pauseSchedule: async (name) => view(found(name, await schedules.pause(name))),
    resumeSchedule: async (name) => view(found(name, await schedules.resume(name, nextAtMs))),
    async runSchedule(name, idempotencyKey) {
      const { task } = found(name, await schedules.get(name))
      const key = idempotencyKey === undefined ? {} : { idempotencyKey }
      const submitted = await submitTask({ ...task, due: 'now', ...key })
      await schedules.noteRun(name, submitted.task.id)
      return submitted
    },
  }

  function view(schedule: Schedule): ScheduleView {
    return { ...schedule, nextRuns: schedule.paused ? [] : nextRuns(schedule) }
  }

  function nextRuns(schedule: Schedule): string[] {
    const next = Date.parse(schedule.nextAt)
    const times = [next, ...cron.after(schedule, next, runsShown - 1)]
    return times.map((time) => new Date(time).toISOString())
  }
}

function found(name: string, schedule: Schedule | undefined): Schedule {
  if (!schedule) throw new TaskError('schedule-not-found', `there is no schedule '${name}'`)
  return schedule
}
