import { isUtf8 } from 'node:buffer'
import { Compile } from 'typebox/compile'
import { callbackUrlRule, isCallbackUrl, ownTypes } from '../domain/callback.ts'
import { type AtEnd, type Due, limits, type Sequel, type Submission } from '../domain/submission.ts'
import type { JsonText } from '../domain/task.ts'
import { readInstant } from './instant.ts'
import {
  type BatchEnvelope,
  type Envelope,
  EnvelopeError,
  pointerTo,
  readBatchEnvelope,
  readEnvelope,
  shorten,
} from './json-envelope.ts'
import { JsonSyntaxError } from './json-scan.ts'
import { suggestion } from './nearest-name.ts'
import { type Fault, invalid, mostFaults, Problem } from './problem.ts'
import {
  lastRunYear,
  type SubmissionField,
  type SubmissionFields,
  submissionFields,
} from './submission-schema.ts'

/**
 * The submission in the body of POST /tasks. `keyHeader` is the header Idempotency-Key. Throws the Problem that
 * says everything that is wrong.
 */
export function readSubmission(body: unknown, keyHeader: string | undefined): Submission {
  const envelope = readJson(body, readEnvelope)
  if (keyHeader !== undefined) takeKey(envelope, keyHeader)
  const faults: Fault[] = []
  const submission = check(envelope, '#', faults)
  if (!submission) throw invalid(faults)
  if (isTooLarge(submission.payload))
    throw new Problem('payload-too-large', `the payload has more than ${limits.payloadBytes} bytes`)
  return submission
}

/** The body of POST /tasks/batch, its tasks in order. Throws the Problem that says what is wrong. */
export function readBatch(body: unknown): { tasks: Submission[]; atEnd: AtEnd } {
  const batch = readJson(body, (text) => readBatchEnvelope(text, limits.batchTasks))
  const faults: Fault[] = batch.others.map((key) => unknownField('#', key, ['tasks', 'then', 'callbackUrl']))
  const atEnd = readAtEnd(batch, faults)
  if (!batch.given) faults.push({ pointer: '#/tasks', detail: 'is missing' })
  else if (batch.tasks.length === 0) faults.push({ pointer: '#/tasks', detail: 'must have a task at least' })
  else return { tasks: readTasks(batch.tasks, faults), atEnd }
  throw invalid(faults)
}

function readAtEnd({ sequel: given, callbackUrl }: BatchEnvelope, faults: Fault[]): AtEnd {
  const sequel = given && readSequel(given, faults)
  const then = sequel ? { sequel } : {}
  if (callbackUrl === undefined) return then
  if (typeof callbackUrl === 'string' && isCallbackUrl(callbackUrl)) return { ...then, callbackUrl }
  faults.push({ pointer: '#/callbackUrl', detail: callbackUrlRule })
  return then
}

/** What comes then needs no payload of its own, and no key: it is submitted once. */
function readSequel(envelope: Envelope, faults: Fault[]): Sequel | undefined {
  const { payload } = envelope
  if (Object.hasOwn(envelope.fields, 'idempotencyKey')) {
    const detail = 'is not needed: it is submitted once, when the last task is final'
    faults.push({ pointer: '#/then/idempotencyKey', detail })
  }
  if (payload !== undefined && isTooLarge(payload))
    faults.push({ pointer: '#/then/payload', detail: `has more than ${limits.payloadBytes} bytes` })
  const submission = check({ ...envelope, payload: payload ?? 'null' }, '#/then', faults)
  if (!submission) return undefined
  const { payload: _given, idempotencyKey: _key, ...sequel } = submission
  return payload === undefined ? sequel : { ...sequel, payload }
}

/** One line of an import: a submission, or the Problem that says what is wrong with it. */
export function readLine(text: string): Submission | Problem {
  if (/^\s*$/.test(text)) return new Problem('empty-body', 'the line is empty')
  try {
    return readSubmission(text, undefined)
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
}

function readTasks(tasks: readonly (Envelope | undefined)[], faults: Fault[]): Submission[] {
  const submissions: Submission[] = []
  for (const [index, envelope] of tasks.entries()) {
    const pointer = `#/tasks/${index}`
    const submission = envelope && readTask(envelope, pointer, faults)
    if (!envelope) faults.push({ pointer, detail: 'must be an object' })
    if (submission) submissions.push(submission)
    if (faults.length >= mostFaults) break
  }
  if (faults.length > 0) throw invalid(faults)
  return submissions
}

/** The submission in `envelope`, unless something is wrong with it, which is added to `faults`. */
export function readTask(envelope: Envelope, pointer: string, faults: Fault[]): Submission | undefined {
  const submission = check(envelope, pointer, faults)
  if (submission && isTooLarge(submission.payload))
    faults.push({ pointer: `${pointer}/payload`, detail: `has more than ${limits.payloadBytes} bytes` })
  return submission
}

export function readJson<T>(body: unknown, read: (text: string) => T): T {
  if (typeof body !== 'string' || body === '')
    throw new Problem('empty-body', 'send a JSON object as the body')
  try {
    return read(body)
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw new Problem('malformed-json', error.message, { cause: error })
    if (error instanceof EnvelopeError) throw invalid([error.fault])
    throw error
  }
}

/** The key in the header Idempotency-Key. Throws the Problem that says what is wrong with it. */
export function readKey(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined
  // Node reads header bytes as Latin-1; clients send UTF-8.
  const bytes = Buffer.from(String(header), 'latin1')
  const key = isUtf8(bytes) ? bytes.toString() : ''
  if (!checks.idempotencyKey.Check(key)) throw invalidKeyHeader(submissionFields.idempotencyKey.rule)
  return key
}

function takeKey(envelope: Envelope, header: string) {
  const key = readKey(header)
  const { fields } = envelope
  if (Object.hasOwn(fields, 'idempotencyKey') && fields.idempotencyKey !== key)
    throw invalidKeyHeader("differs from the body's idempotencyKey; give one of them, or the same twice")
  fields.idempotencyKey = key
}

function invalidKeyHeader(detail: string): Problem {
  return invalid([{ header: 'Idempotency-Key', detail }])
}

function check(envelope: Envelope, pointer: string, faults: Fault[]): Submission | undefined {
  const { payload, fields, repeated } = envelope
  if (payload !== undefined && repeated.length === 0 && areValid(fields)) {
    const due = dueOf(fields)
    if (due) return submissionOf(payload, due, fields)
  }
  listFaults(envelope, pointer, faults)
  return undefined
}

const isType = Compile(submissionFields.type.schema)

const checks = {
  type: {
    Check: (value: unknown) => isType.Check(value) && !value.startsWith(ownTypes),
  },
  queue: Compile(submissionFields.queue.schema),
  key: Compile(submissionFields.key.schema),
  priority: Compile(submissionFields.priority.schema),
  delayMs: Compile(submissionFields.delayMs.schema),
  runAt: {
    Check: (value: unknown) => typeof value === 'string' && readInstant(value, lastRunYear) !== undefined,
  },
  maxAttempts: Compile(submissionFields.maxAttempts.schema),
  timeoutMs: Compile(submissionFields.timeoutMs.schema),
  callbackUrl: { Check: (value: unknown) => typeof value === 'string' && isCallbackUrl(value) },
  idempotencyKey: Compile(submissionFields.idempotencyKey.schema),
}

function isField(key: string): key is SubmissionField {
  return Object.hasOwn(checks, key)
}

function areValid(fields: Record<string, unknown>): fields is SubmissionFields {
  for (const key in fields) if (!isField(key) || !checks[key].Check(fields[key])) return false
  return true
}

function dueOf({ delayMs, runAt }: SubmissionFields): Due | undefined {
  if (runAt === undefined) return delayMs ? { afterMs: delayMs } : 'now'
  const at = readInstant(runAt, lastRunYear)
  return delayMs === undefined && at !== undefined ? { at } : undefined
}

function submissionOf(payload: JsonText, due: Due, fields: SubmissionFields): Submission {
  const { type = 'default', queue = 'default', priority = 'normal' } = fields
  const submission: Submission = { payload, type, queue, priority, due }
  if (fields.key !== undefined) submission.key = fields.key
  if (fields.maxAttempts !== undefined) submission.maxAttempts = fields.maxAttempts
  if (fields.timeoutMs !== undefined) submission.timeoutMs = fields.timeoutMs
  if (fields.idempotencyKey !== undefined) submission.idempotencyKey = fields.idempotencyKey
  if (fields.callbackUrl !== undefined) submission.callbackUrl = fields.callbackUrl
  return submission
}

function listFaults({ payload, fields, repeated }: Envelope, pointer: string, faults: Fault[]) {
  for (const key of repeated)
    faults.push({ pointer: pointerTo(pointer, key), detail: 'occurs more than once' })
  for (const [key, value] of Object.entries(fields)) {
    if (!isField(key)) faults.push(unknownField(pointer, key, knownFields))
    else if (!checks[key].Check(value))
      faults.push({ pointer: `${pointer}/${key}`, detail: submissionFields[key].rule })
  }
  if (payload === undefined) faults.push({ pointer: `${pointer}/payload`, detail: 'is missing' })
  if (Object.hasOwn(fields, 'delayMs') && Object.hasOwn(fields, 'runAt'))
    faults.push({ pointer: `${pointer}/runAt`, detail: 'cannot be given together with delayMs' })
}

const knownFields = ['payload', ...Object.keys(submissionFields)]

export function unknownField(pointer: string, key: string, known: readonly string[]): Fault {
  const detail = `'${shorten(key)}' is not a known field${suggestion(key, known)}`
  return { pointer: pointerTo(pointer, key), detail }
}

/** A UTF-16 unit takes at most three bytes of UTF-8, so most texts need no count. */
function isTooLarge(payload: JsonText): boolean {
  if (payload.length * 3 <= limits.payloadBytes) return false
  return Buffer.byteLength(payload) > limits.payloadBytes
}
