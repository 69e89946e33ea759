import type { CatchUp, Millrace, Schedule } from '../../../../src/client/index.ts'
import { memberTexts } from '../../../../src/client/json-text.ts'

/** A schedule as a list tells it: without the payload of its task. */
export type ScheduleRow = Awaited<ReturnType<Millrace['schedules']['list']>>['data'][number]

/** What the form holds. The payload is JSON text, so that numbers stay as they were written. */
export type Draft = {
  name: string
  cron: string
  timeZone: string
  catchUp: CatchUp
  type: string
  queue: string
  payload: string
  /** What else the task says, which the form does not show and must not lose. */
  rest: Record<string, unknown>
}

/** From the server's text of a schedule; without one, a new one. */
export function draftOf(text: string | undefined): Draft {
  if (text === undefined) return emptyDraft()
  const { name, cron, timeZone, catchUp, task }: Schedule = JSON.parse(text)
  const { type = 'default', queue = 'default', payload: _, ...rest } = task
  const payload = memberTexts(memberTexts(text).get('task') ?? '{}').get('payload') ?? 'null'
  return { name, cron, timeZone, catchUp, type, queue, payload, rest }
}

function emptyDraft(): Draft {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions()
  const task = { type: 'default', queue: 'default', payload: '"hello"', rest: {} }
  return { name: '', cron: '0 9 * * *', timeZone, catchUp: 'latest', ...task }
}

/** The body that stores it. Fails if the payload is no JSON. */
export function definitionText({ cron, timeZone, catchUp, type, queue, payload, rest }: Draft): string {
  JSON.parse(payload)
  const task = JSON.stringify({ ...rest, type, queue }).slice(1, -1)
  return `{${JSON.stringify({ cron, timeZone, catchUp }).slice(1, -1)},"task":{${task},"payload":${payload}}}`
}
