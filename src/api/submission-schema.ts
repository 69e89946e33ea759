import { type Static, type TSchema, Type } from 'typebox'
import { callbackUrlRule, ownTypes } from '../domain/callback.ts'
import { defaultMaxAttempts, limits } from '../domain/submission.ts'
import { priorities } from '../domain/task.ts'

export const namePattern = `^[A-Za-z0-9._:/-]{1,${limits.nameLength}}$`
const nameOptions = {
  minLength: 1,
  maxLength: limits.nameLength,
  pattern: namePattern,
  default: 'default',
}
export const nameRule = `must be a string of 1 to ${limits.nameLength} characters out of A-Z a-z 0-9 . _ : / -`

export const longestDelayMs = 3650 * 86_400_000
export const lastRunYear = 2100
const longestTimeoutMs = 2 ** 31 - 1

/** Each field but `payload`, with the sentence that an invalid value is answered with. */
export const submissionFields = {
  type: {
    schema: Type.String({ ...nameOptions, description: 'Chooses the handler.', examples: ['email.send'] }),
    rule: `${nameRule}, and not begin with '${ownTypes}'`,
  },
  queue: {
    schema: Type.String({ ...nameOptions, description: 'Where the task waits for a worker.' }),
    rule: nameRule,
  },
  key: {
    schema: Type.String({
      minLength: 1,
      maxLength: limits.keyLength,
      pattern: `^[^\\p{Cc}\\p{Cs}]{1,${limits.keyLength}}$`,
      description:
        'Whom it is for, such as a tenant or a host. In a queue with limits, keys take turns, and each has the limits for a key.',
      examples: ['tenant-42'],
    }),
    rule: `must be a string of 1 to ${limits.keyLength} characters without control characters`,
  },
  priority: {
    schema: Type.Enum([...priorities], {
      default: 'normal',
      description: 'Higher ones go first within a queue.',
    }),
    rule: `must be one of ${priorities.join(', ')}`,
  },
  delayMs: {
    schema: Type.Integer({
      minimum: 0,
      maximum: longestDelayMs,
      description: 'Run it that many milliseconds from now, on the clock of the database. Not with `runAt`.',
    }),
    rule: `must be a whole number of milliseconds from 0 to ${longestDelayMs} (10 years)`,
  },
  runAt: {
    schema: Type.String({
      format: 'date-time',
      description: `Run it at this RFC 3339 instant, no later than ${lastRunYear}; at once when it has passed. Not with \`delayMs\`.`,
      examples: ['2030-01-31T09:00:00.000Z'],
    }),
    rule: `must be an RFC 3339 instant with its offset between 1970 and ${lastRunYear}, such as 2030-01-31T09:00:00Z`,
  },
  maxAttempts: {
    schema: Type.Integer({
      minimum: 1,
      maximum: limits.maxAttempts,
      description: `How often the handler may fail. When left out, the handler decides, else it is ${defaultMaxAttempts}.`,
    }),
    rule: `must be a whole number from 1 to ${limits.maxAttempts}`,
  },
  timeoutMs: {
    schema: Type.Integer({
      minimum: 1,
      maximum: longestTimeoutMs,
      description:
        "One attempt's limit in milliseconds. When left out, the handler decides; it may have none.",
    }),
    rule: `must be a whole number of milliseconds from 1 to ${longestTimeoutMs}`,
  },
  callbackUrl: {
    schema: Type.String({
      format: 'uri',
      maxLength: 2_048,
      description:
        'Where the task is posted as JSON once it is completed, failed or canceled: at least once, and again after each attempt that was not answered with 2xx.',
      examples: ['https://example.com/tasks'],
    }),
    rule: callbackUrlRule,
  },
  idempotencyKey: {
    schema: Type.String({
      minLength: 1,
      maxLength: limits.idempotencyKeyLength,
      pattern: `^[^\\p{Cc}\\p{Cs}]{1,${limits.idempotencyKeyLength}}$`,
      description:
        'Submitting the same key with the same body again answers the task that exists. Also the header `Idempotency-Key`.',
      examples: ['order-1234-receipt'],
    }),
    rule: `must be a string of 1 to ${limits.idempotencyKeyLength} characters without control characters`,
  },
} as const

/** The same for a batch as a whole. */
export const batchCallbackUrl = Type.String({
  format: 'uri',
  maxLength: 2_048,
  description:
    'Where the batch is posted as JSON, as `GET /batches/{id}` shows it, once its last task is final: at least once, and of its first end only.',
  examples: ['https://example.com/batches'],
})

export type SubmissionField = keyof typeof submissionFields
export type SubmissionFields = {
  [Field in SubmissionField]?: Static<(typeof submissionFields)[Field]['schema']>
}

const properties: Record<string, TSchema> = {
  payload: Type.Unknown({
    description:
      'Any JSON value, `null` included, up to 1 MiB as sent and 100 levels deep. Kept and handed out as the text that was sent.',
    examples: [{ to: 'a@example.com' }],
  }),
}
for (const [name, { schema }] of Object.entries(submissionFields)) properties[name] = schema

const { idempotencyKey: _, payload: payloadSchema, ...others } = properties

/** What comes when a batch is finished, as the OpenAPI document shows it. */
export const sequelSchema = {
  $id: 'Sequel',
  type: 'object',
  description:
    'A task that is submitted once, when the last task of the batch is final. Its payload is `{"batchId","total","counts"}`, and `payload` with what is given here, if anything is.',
  examples: [{ type: 'report.send', payload: { to: 'a@example.com' } }],
  properties: { payload: payloadSchema, ...others },
  additionalProperties: false,
}

/** The body of POST /tasks, as the OpenAPI document shows it. */
export const submissionSchema = {
  $id: 'Submission',
  type: 'object',
  required: ['payload'],
  examples: [{ payload: { to: 'a@example.com' }, type: 'email.send', maxAttempts: 5 }],
  properties,
  additionalProperties: false,
}
