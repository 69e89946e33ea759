import { fingerprintOf } from '../../src/domain/fingerprint.ts'

/** A kind of task as a system of some size has it. `{n}` in its texts is a number of the task's own. */
export type Kind = {
  type: string
  queue: string
  /** Its share of all tasks; the shares of all kinds are 1. */
  share: number
  runMs: number
  failShare: number
  payload: string
  result: string
  errors: readonly { name: string; message: string; at: string; code?: string }[]
}

export const kinds: readonly Kind[] = [
  {
    type: 'email.send',
    queue: 'mail',
    share: 0.36,
    runMs: 140,
    failShare: 0.012,
    payload: '{"to":"user{n}@example.com","template":"receipt","locale":"en"}',
    result: '{"messageId":"<{n}.receipt@mail.example.com>"}',
    errors: [
      {
        name: 'SmtpError',
        message: '421 too many connections from 10.0.0.{n}',
        at: 'deliver (mail/smtp.js:88:11)',
        code: '421',
      },
      {
        name: 'SmtpError',
        message: '550 mailbox "user{n}" unavailable',
        at: 'deliver (mail/smtp.js:88:11)',
        code: '550',
      },
      {
        name: 'TimeoutError',
        message: 'no greeting within 10000 ms',
        at: 'connect (mail/smtp.js:31:9)',
        code: 'ETIMEDOUT',
      },
    ],
  },
  {
    type: 'email.digest',
    queue: 'mail',
    share: 0.06,
    runMs: 420,
    failShare: 0.006,
    payload: '{"account":{n},"period":"week"}',
    result: '{"sent":12}',
    errors: [
      {
        name: 'TypeError',
        message: "Cannot read properties of undefined (reading 'unsubscribed')",
        at: 'render (mail/digest.js:54:27)',
      },
    ],
  },
  {
    type: 'image.resize',
    queue: 'media',
    share: 0.22,
    runMs: 900,
    failShare: 0.02,
    payload: '{"key":"uploads/{n}.jpg","width":1280,"formats":["webp","avif"]}',
    result: '{"bytes":48213,"files":["{n}.webp","{n}.avif"]}',
    errors: [
      {
        name: 'Error',
        message: 'Input buffer contains unsupported image format',
        at: 'Sharp.toBuffer (media/resize.js:40:18)',
      },
      {
        name: 'RangeError',
        message: 'Image is {n} x 4 pixels, beyond the limit',
        at: 'check (media/limits.js:12:9)',
      },
      {
        name: 'NotFoundError',
        message: 'no object uploads/{n}.jpg',
        at: 'read (media/store.js:77:13)',
        code: 'NoSuchKey',
      },
    ],
  },
  {
    type: 'webhook.deliver',
    queue: 'webhooks',
    share: 0.2,
    runMs: 260,
    failShare: 0.035,
    payload: '{"endpoint":{n},"event":"invoice.paid","id":"evt_{n}"}',
    result: '{"status":200}',
    errors: [
      {
        name: 'HttpError',
        message: 'answered 503 after {n} ms',
        at: 'post (webhooks/deliver.js:64:11)',
        code: '503',
      },
      { name: 'HttpError', message: 'answered 404', at: 'post (webhooks/deliver.js:64:11)', code: '404' },
      {
        name: 'Error',
        message: 'connect ECONNREFUSED 203.0.113.7:443',
        at: 'post (webhooks/deliver.js:58:20)',
        code: 'ECONNREFUSED',
      },
      {
        name: 'Error',
        message: 'certificate has expired',
        at: 'post (webhooks/deliver.js:58:20)',
        code: 'CERT_HAS_EXPIRED',
      },
    ],
  },
  {
    type: 'import.row',
    queue: 'imports',
    share: 0.12,
    runMs: 35,
    failShare: 0.008,
    payload: '{"file":"customers.csv","line":{n}}',
    result: 'null',
    errors: [
      {
        name: 'ValidationError',
        message: 'line {n}: "country" is not a country',
        at: 'validate (imports/row.js:21:11)',
      },
      {
        name: 'UniqueViolation',
        message: 'customer {n} is there already',
        at: 'insert (imports/row.js:47:15)',
        code: '23505',
      },
    ],
  },
  {
    type: 'report.render',
    queue: 'reports',
    share: 0.04,
    runMs: 6_000,
    failShare: 0.015,
    payload: '{"report":"revenue","account":{n},"month":"2026-10"}',
    result: '{"pages":14,"url":"reports/{n}.pdf"}',
    errors: [
      {
        name: 'QueryCanceled',
        message: 'canceling statement due to statement timeout',
        at: 'rows (reports/query.js:19:14)',
        code: '57014',
      },
      {
        name: 'WorkerLostError',
        message:
          'the process that ran it was ended by signal SIGABRT, most likely because it ran out of memory',
        at: '',
      },
    ],
  },
]

/** The errors of a kind as JSON with `{n}` in it, and their fingerprints. */
export function errorsOf({ errors }: Kind): { json: string; fingerprint: string }[] {
  return errors.map(({ at, ...error }) => {
    const stack = `${error.name}: ${error.message}${at && `\n    at ${at}\n    at runTask (millrace/attempt.js:71:5)`}`
    const failure = { ...error, stack, attempt: 3 }
    return {
      json: JSON.stringify(failure),
      fingerprint: fingerprintOf({ ...failure, message: error.message.replace('{n}', '1') }),
    }
  })
}
