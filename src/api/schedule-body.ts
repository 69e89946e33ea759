import {
  type CatchUp,
  catchUps,
  type ScheduleDefinition,
  type ScheduledSubmission,
} from '../domain/schedule.ts'
import type { Submission } from '../domain/submission.ts'
import { type Envelope, pointerTo, readTaskHolder } from './json-envelope.ts'
import { type Fault, invalid } from './problem.ts'
import { readJson, readTask, unknownField } from './submission.ts'

const known = ['cron', 'timeZone', 'catchUp', 'task']
/** What a schedule decides itself. */
const notOfTasks = ['delayMs', 'runAt', 'idempotencyKey']
const longestRule = 255

/** The schedule in the body of PUT /schedules/{name}. Throws the Problem that says everything that is wrong. */
export function readSchedule(name: string, body: unknown): ScheduleDefinition {
  const { task: envelope, fields, repeated } = readJson(body, readTaskHolder)
  const faults: Fault[] = []
  for (const key of repeated) faults.push({ pointer: pointerTo('#', key), detail: 'occurs more than once' })
  for (const key of Object.keys(fields)) if (!known.includes(key)) faults.push(unknownField('#', key, known))
  const { cron, timeZone = 'UTC', catchUp = 'latest' } = fields
  if (cron === undefined) faults.push({ pointer: '#/cron', detail: 'is missing' })
  else if (!isRule(cron)) faults.push({ pointer: '#/cron', detail: ruleRule })
  if (!isRule(timeZone)) faults.push({ pointer: '#/timeZone', detail: ruleRule })
  if (!isCatchUp(catchUp))
    faults.push({ pointer: '#/catchUp', detail: `must be one of ${catchUps.join(', ')}` })
  const task = readScheduledTask(envelope, Object.hasOwn(fields, 'task'), faults)
  if (faults.length > 0 || !task || !isRule(cron) || !isRule(timeZone) || !isCatchUp(catchUp))
    throw invalid(faults)
  return { name, cron, timeZone, catchUp, task }
}

const ruleRule = `must be a string of 1 to ${longestRule} characters`

function isRule(value: unknown): value is string {
  return typeof value === 'string' && value.length >= 1 && value.length <= longestRule
}

function isCatchUp(value: unknown): value is CatchUp {
  return catchUps.some((word) => word === value)
}

function readScheduledTask(
  envelope: Envelope | undefined,
  given: boolean,
  faults: Fault[],
): ScheduledSubmission | undefined {
  if (!envelope) {
    faults.push({ pointer: '#/task', detail: given ? 'must be an object' : 'is missing' })
    return undefined
  }
  for (const field of notOfTasks) {
    if (!Object.hasOwn(envelope.fields, field)) continue
    faults.push({ pointer: `#/task/${field}`, detail: 'cannot be given: a schedule decides it' })
    delete envelope.fields[field]
  }
  const submission: Submission | undefined = readTask(envelope, '#/task', faults)
  if (!submission) return undefined
  const { due: _due, ...task } = submission
  return task
}
