import { Type } from 'typebox'
import { limits } from '../domain/submission.ts'
import type { Fields } from './body-fields.ts'
import { longestDelayMs } from './submission-schema.ts'

export const longestWaitSeconds = 60
const mostConcurrency = 10_000
const defaultLeaseMs = 30_000

const name = Type.String({
  minLength: 1,
  maxLength: limits.nameLength,
  pattern: `^[A-Za-z0-9._:/-]{1,${limits.nameLength}}$`,
})
const namesOf = (most: number) => Type.Array(name, { minItems: 1, maxItems: most })
const namesRule = (most: number) =>
  `must be an array of 1 to ${most} names of 1 to ${limits.nameLength} characters out of A-Z a-z 0-9 . _ : / -`
const text = (most: number) => Type.String({ minLength: 1, maxLength: most, pattern: '^[^\\p{Cc}\\p{Cs}]*$' })
const textRule = (most: number) => `must be a string of 1 to ${most} characters without control characters`
const whole = (minimum: number, maximum: number) => ({
  schema: Type.Integer({ minimum, maximum }),
  rule: `must be a whole number from ${minimum} to ${maximum}`,
})
const uuid = {
  schema: Type.String({
    format: 'uuid',
    pattern: '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$',
  }),
  rule: 'must be a UUID',
}
const workerId = { ...uuid, required: true as const }

/** The body of POST /workers. */
export const registrationFields = {
  types: { schema: namesOf(1_000), rule: namesRule(1_000), required: true },
  queues: { schema: namesOf(100), rule: namesRule(100), default: ['default'] },
  concurrency: { ...whole(1, mostConcurrency), default: 1 },
  leaseMs: { ...whole(3_000, 3_600_000), default: defaultLeaseMs },
  host: { schema: text(255), rule: textRule(255), default: 'unknown' },
  pid: { ...whole(0, 2 ** 31 - 1), default: 0 },
  version: { schema: text(64), rule: textRule(64), default: 'http' },
} satisfies Fields

/** The body of POST /workers/claim. */
export const claimFields = {
  workerId,
  limit: { ...whole(1, 1_000), default: 1 },
  wait: {
    schema: Type.Number({
      minimum: 0,
      maximum: longestWaitSeconds,
      description: 'Seconds to wait for a task when there is none.',
    }),
    rule: `must be a number of seconds from 0 to ${longestWaitSeconds}`,
    default: 0,
  },
} satisfies Fields

const mostAttempts = 10_000
const listOf = (schema: ReturnType<typeof Type.Unknown>, description: string) =>
  Type.Array(schema, { maxItems: mostAttempts, description })
const listRule = `must be an array of ${mostAttempts} elements at most`

const attempt = { ...whole(1, 2 ** 31 - 1), required: true as const }

/** An attempt, as POST /workers/claim answered it. */
export const attemptFields = { id: { ...uuid, required: true as const }, attempt } satisfies Fields

/** The body of POST /workers/heartbeat. */
export const heartbeatFields = {
  workerId,
  tasks: { schema: listOf(Type.Unknown(), 'Every attempt that it runs.'), rule: listRule, required: true },
} satisfies Fields

/** The body of POST /workers/finish. */
export const finishFields = {
  workerId,
  tasks: {
    schema: listOf(Type.Unknown(), 'What became of attempts.'),
    rule: listRule,
    required: true,
  },
} satisfies Fields

/** The body of DELETE /workers/{id} has nothing; an ending has one of `result`, `error` and `release`. */
export const endingFields = {
  ...attemptFields,
  result: { schema: Type.Unknown({ description: 'Any JSON: the task is completed.' }), rule: 'must be JSON' },
  error: {
    schema: Type.Object(
      {},
      { description: 'The attempt failed: `message`, and optionally name, code, stack.' },
    ),
    rule: 'must be an object',
  },
  retryable: { schema: Type.Boolean({ default: true }), rule: 'must be true or false' },
  delayMs: whole(0, longestDelayMs),
  release: { schema: Type.Literal(true), rule: 'must be true' },
} satisfies Fields

export const errorFields = {
  name: { schema: Type.String(), rule: 'must be a string' },
  message: { schema: Type.String(), rule: 'must be a string', required: true },
  code: { schema: Type.String(), rule: 'must be a string' },
  stack: { schema: Type.String(), rule: 'must be a string' },
} satisfies Fields
