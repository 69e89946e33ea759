import { type TSchema, Type } from 'typebox'
import { catchUps } from '../domain/schedule.ts'
import { submissionSchema } from './submission-schema.ts'

const { delayMs: _delay, runAt: _at, idempotencyKey: _key, ...taskFields } = submissionSchema.properties

const scheduledTask = {
  $id: 'ScheduledTask',
  type: 'object',
  description: 'The task that is submitted each time: a submission without times and key of its own.',
  required: ['payload'],
  properties: taskFields,
  additionalProperties: false,
}

const cron = Type.String({
  minLength: 1,
  maxLength: 255,
  description:
    'Five fields (minute, hour, day of the month, month, day of the week), or six with the second before them. Also `@daily` and the like.',
  examples: ['30 9 * * 1-5'],
})
const timeZone = Type.String({
  default: 'UTC',
  description: 'Whose clocks the fields speak of, by the name in the time zone database.',
  examples: ['Europe/Berlin'],
})
const catchUp = Type.Enum([...catchUps], {
  default: 'latest',
  description:
    'What becomes of times that were missed by more than a minute, as in an outage: nothing, the latest of them, or all (the last 1,000).',
})
const instant = (description: string) =>
  Type.String({ format: 'date-time', description, examples: ['2030-01-31T09:00:00.000Z'] })
const orNull = (schema: TSchema, description: string) => Type.Union([schema, Type.Null()], { description })

const definition = {
  $id: 'ScheduleDefinition',
  type: 'object',
  required: ['cron', 'task'],
  examples: [{ cron: '30 9 * * 1-5', timeZone: 'Europe/Berlin', task: { type: 'report', payload: {} } }],
  properties: { cron, timeZone, catchUp, task: Type.Unsafe<unknown>({ $ref: 'ScheduledTask#' }) },
  additionalProperties: false,
}

const schedule = Type.Object(
  {
    name: Type.String(),
    cron,
    timeZone,
    catchUp,
    paused: Type.Boolean(),
    task: Type.Unsafe<unknown>({ $ref: 'ScheduledTask#' }),
    nextRuns: Type.Array(instant('A time to come.'), {
      description: 'The times that come next, five of them; none while it is paused.',
    }),
    lastRunAt: orNull(Type.String({ format: 'date-time' }), 'When its latest task was submitted.'),
    lastTaskId: orNull(Type.String({ format: 'uuid' }), 'Its latest task, by the clock or by hand.'),
    createdAt: instant('When it was made.'),
    updatedAt: instant('When it was last put.'),
  },
  { $id: 'Schedule' },
)

export const scheduleSchemas = [scheduledTask, definition, schedule]
