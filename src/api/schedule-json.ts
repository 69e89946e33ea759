import type { ScheduleView } from '../usecases/schedules.ts'

/** A schedule as JSON. The payload is put in as the text that it is; a row of a list leaves it out. */
export function scheduleJson(schedule: ScheduleView, { payload = true } = {}): string {
  const { task, name, cron, timeZone, catchUp, paused, nextRuns, ...rest } = schedule
  const { payload: text, ...fields } = task
  const members = JSON.stringify(fields).slice(1, -1)
  const head = JSON.stringify({ name, cron, timeZone, catchUp, paused }).slice(1, -1)
  const { lastRunAt, lastTaskId, createdAt, updatedAt } = rest
  const tail = JSON.stringify({ nextRuns, lastRunAt, lastTaskId, createdAt, updatedAt }).slice(1, -1)
  return `{${head},"task":{${members}${payload ? `,"payload":${text}` : ''}},${tail}}`
}
