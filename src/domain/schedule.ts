import type { PacketRef } from './packet.ts'
import type { Load } from './ports.ts'
import type { NewTask, Submission } from './submission.ts'

/** What becomes of times that passed while nobody could submit their tasks. */
export const catchUps = ['none', 'latest', 'all'] as const
export type CatchUp = (typeof catchUps)[number]

/** The times that a schedule names: whole seconds. */
export type CronRule = { cron: string; timeZone: string }

/** What a schedule submits each time; its times are its own, and so are its keys. */
export type ScheduledSubmission = Omit<Submission, 'due' | 'idempotencyKey'>

export type ScheduleDefinition = CronRule & { name: string; catchUp: CatchUp; task: ScheduledSubmission }

/** Instants are RFC 3339 in UTC with milliseconds. */
export type Schedule = ScheduleDefinition & {
  paused: boolean
  /** The first time whose task is not submitted yet; means nothing while it is paused. */
  nextAt: string
  /** The latest task it made, by the clock or by hand. */
  lastRunAt: string | null
  lastTaskId: string | null
  createdAt: string
  updatedAt: string
}

/** Computes times out of rules, in milliseconds since 1970. Asks no clock. */
export type CronTimes = {
  /** What is wrong with a rule, or nothing. A rule without a fault has a time after any instant of this age. */
  faultOf(rule: CronRule, atMs: number): { field: keyof CronRule; detail: string } | undefined
  /** The first `count` times after an instant, in order. */
  after(rule: CronRule, atMs: number, count: number): number[]
  /** The last `count` times up to an instant, itself included, in order. */
  upTo(rule: CronRule, atMs: number, count: number): number[]
}

/** A schedule of which a time has come. */
export type DueSchedule = ScheduleDefinition & { nextAtMs: number }

/** What one time of a schedule, or several, make of it: their tasks, and where it stands then. */
export type Tick = { name: string; tasks: NewTask[]; nextAtMs: number }

/** Schedules as they are stored. Each move is one transaction, and each may be repeated. */
export type ScheduleStore = {
  nowMs(): Promise<number>
  /** Makes or replaces a schedule. With the same rule it stands where it stood, and stays paused if it was. */
  put(definition: ScheduleDefinition, nextAtMs: number): Promise<{ schedule: Schedule; created: boolean }>
  get(name: string): Promise<Schedule | undefined>
  /** By name, those after `after`. */
  list(page: { limit: number; after?: string }): Promise<Schedule[]>
  remove(name: string): Promise<Schedule | undefined>
  pause(name: string): Promise<Schedule | undefined>
  /** Lets a paused schedule go on from the time that `nextAtMs` answers; one that is not paused stays as it is. */
  resume(name: string, nextAtMs: (rule: CronRule, nowMs: number) => number): Promise<Schedule | undefined>
  /** Writes down the task that was made by hand. */
  noteRun(name: string, taskId: string): Promise<void>
  /** Milliseconds until the next time of any schedule, by the database's clock; null without one. */
  nextInMs(): Promise<number | null>
  /**
   * Submits what is due, and moves on what was due, in one transaction, so that a time has one task whoever comes,
   * and how often. Schedules that another process has in hand are passed by, and those for which `plan` answers nothing.
   */
  tick(
    limit: number,
    plan: (due: DueSchedule, nowMs: number) => Tick | undefined,
    loadOf: (fresh: readonly NewTask[]) => Load,
  ): Promise<{ ticks: number; packets: PacketRef[] }>
}

/** A time whose task is made within a minute is on time, whatever is to become of missed ones. */
export const onTimeMs = 60_000
/** `all` goes back no further than this many times. */
export const mostMissed = 1_000

/**
 * The times of a schedule for which tasks are to be submitted now, at most `most` of them, and the time at which it
 * stands then. It has not passed when `most` cut them short.
 */
export function timesDue(
  { cron, schedule, most }: { cron: CronTimes; schedule: DueSchedule; most: number },
  nowMs: number,
): { times: number[]; nextAtMs: number } {
  const first = firstDue(cron, schedule, nowMs)
  if (first === undefined) return { times: [], nextAtMs: cron.after(schedule, nowMs, 1)[0]! }
  const times = [first, ...cron.after(schedule, first, most)]
  const passed = times.findIndex((time) => time > nowMs)
  const end = passed < 0 ? most : Math.min(passed, most)
  return { times: times.slice(0, end), nextAtMs: times[end]! }
}

function firstDue(cron: CronTimes, schedule: DueSchedule, nowMs: number): number | undefined {
  const { nextAtMs, catchUp } = schedule
  if (nextAtMs > nowMs) return undefined
  if (nextAtMs >= nowMs - onTimeMs) return nextAtMs
  if (catchUp === 'all') return Math.max(nextAtMs, cron.upTo(schedule, nowMs, mostMissed)[0]!)
  const onTime = cron.after(schedule, nowMs - onTimeMs, 1)[0]!
  if (onTime <= nowMs) return onTime
  return catchUp === 'latest' ? cron.upTo(schedule, nowMs, 1)[0] : undefined
}
