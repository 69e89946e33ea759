import type { PayloadOf } from './definition.ts'
import type { Call } from './http.ts'
import type { SubmitOptions, Task } from './task.ts'

/** What becomes of times that were missed by more than a minute. */
export type CatchUp = 'none' | 'latest' | 'all'

/** The task that is submitted each time. */
export type ScheduledTask<Definition = unknown> = Omit<
  SubmitOptions,
  'delayMs' | 'runAt' | 'idempotencyKey'
> & {
  type?: string
  payload: PayloadOf<Definition>
}

export type ScheduleDefinition<Definition = unknown> = {
  /** Five fields, or six with the second first; `@daily` and the like. */
  cron: string
  /** UTC unless given. */
  timeZone?: string
  /** `latest` unless given. */
  catchUp?: CatchUp
  task: ScheduledTask<Definition>
}

/** A schedule as the server tells it. Instants are RFC 3339 in UTC. */
export type Schedule = Required<ScheduleDefinition> & {
  name: string
  paused: boolean
  /** The times that come next; none while it is paused. */
  nextRuns: string[]
  lastRunAt: string | null
  lastTaskId: string | null
  createdAt: string
  updatedAt: string
}

type ScheduleRow = Omit<Schedule, 'task'> & { task: Omit<ScheduledTask, 'payload'> }
type SchedulePage = { data: ScheduleRow[]; page: { next: string | null } }

type Ask = <Body>(call: Call) => Promise<Body>

/** The calls on schedules. */
export function schedulesOf(ask: Ask, randomKey: () => string) {
  const path = (name: string, verb = '') => `/schedules/${encodeURIComponent(name)}${verb}`

  return {
    /** Makes or replaces it. Doing it again changes nothing, so a program may do it whenever it starts. */
    put: <Definition = unknown>(name: string, definition: ScheduleDefinition<Definition>) =>
      ask<Schedule>({ method: 'PUT', path: path(name), body: JSON.stringify(definition), repeatable: true }),
    get: (name: string) => ask<Schedule>({ path: path(name), repeatable: true }),
    /** One page, by name. */
    list: (page: { limit?: number; cursor?: string } = {}) =>
      ask<SchedulePage>({ path: '/schedules', query: page, repeatable: true }),
    /** Answers it as it was. Not repeated by itself: it would not be found the second time. */
    delete: (name: string) => ask<Schedule>({ method: 'DELETE', path: path(name), repeatable: false }),
    pause: (name: string) => ask<Schedule>({ method: 'POST', path: path(name, '/pause'), repeatable: true }),
    resume: (name: string) =>
      ask<Schedule>({ method: 'POST', path: path(name, '/resume'), repeatable: true }),
    /** Submits its task now, beside its times. */
    run: (name: string, { idempotencyKey = randomKey() }: { idempotencyKey?: string } = {}) =>
      ask<Task>({
        method: 'POST',
        path: path(name, '/run'),
        headers: { 'idempotency-key': idempotencyKey },
        repeatable: true,
      }),
  }
}
