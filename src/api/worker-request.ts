import type { Failure, Verdict } from '../domain/outcome.ts'
import type { AttemptRef } from '../domain/ports.ts'
import { limits } from '../domain/submission.ts'
import type { JsonText } from '../domain/task.ts'
import type { WorkerEnding } from '../usecases/http-workers.ts'
import { readBody, readFields } from './body-fields.ts'
import { readElements } from './json-envelope.ts'
import { type Fault, invalid, mostFaults } from './problem.ts'
import { attemptFields, endingFields, errorFields, finishFields, heartbeatFields } from './worker-schema.ts'

/** What POST /workers/heartbeat says. Throws the Problem that says what is wrong. */
export function readHeartbeat(body: unknown): { workerId: string; tasks: AttemptRef[] } {
  const { values, texts } = readBody(body, heartbeatFields)
  return { workerId: values.workerId.toLowerCase(), tasks: readEach(texts.get('tasks')!, readAttempt) }
}

/** What POST /workers/finish says; results are the texts that were sent. */
export function readEndings(body: unknown): { workerId: string; tasks: WorkerEnding[] } {
  const { values, texts } = readBody(body, finishFields)
  return { workerId: values.workerId.toLowerCase(), tasks: readEach(texts.get('tasks')!, readEnding) }
}

type Place = { pointer: string; faults: Fault[] }

function readEach<T>(list: JsonText, read: (text: JsonText, place: Place) => T | undefined): T[] {
  const faults: Fault[] = []
  const items: T[] = []
  for (const [index, text] of (readElements(list) ?? []).entries()) {
    const item = read(text, { pointer: `#/tasks/${index}`, faults })
    if (item !== undefined) items.push(item)
    if (faults.length >= mostFaults) break
  }
  if (faults.length > 0) throw invalid(faults)
  return items
}

function readAttempt(text: JsonText, place: Place): AttemptRef | undefined {
  const read = readFields(text, attemptFields, place)
  return read && { id: read.values.id.toLowerCase(), attempt: read.values.attempt }
}

function readEnding(text: JsonText, { pointer, faults }: Place): WorkerEnding | undefined {
  const read = readFields(text, endingFields, { pointer, faults })
  if (!read) return undefined
  const { id, attempt, retryable = true, delayMs } = read.values
  const said = (['result', 'error', 'release'] as const).filter((key) => read.texts.has(key))
  if (said.length !== 1) {
    faults.push({ pointer, detail: 'must have exactly one of result, error and release' })
    return undefined
  }
  const verdict = verdictOf()
  return verdict && { id: id.toLowerCase(), attempt, verdict }

  function verdictOf(): Verdict | undefined {
    const result = read?.texts.get('result')
    if (result !== undefined) return resultOf(result, { pointer, faults })
    const error = read?.texts.get('error')
    if (error === undefined) return { kind: 'interrupted' }
    const failure = readFailure(error, attempt, { pointer: `${pointer}/error`, faults })
    return failure && { kind: 'failed', failure, retryable, ...(delayMs !== undefined && { delayMs }) }
  }
}

function resultOf(result: JsonText, { pointer, faults }: Place): Verdict | undefined {
  if (Buffer.byteLength(result) <= limits.resultBytes) return { kind: 'completed', result }
  faults.push({ pointer: `${pointer}/result`, detail: `has more than ${limits.resultBytes} bytes` })
  return undefined
}

const longest = { name: 256, message: 8 * 1024, code: 256, stack: 16 * 1024 }

/** Long texts are cut and not refused: an error must not be lost because there is much to say about it. */
function readFailure(text: JsonText, attempt: number, place: Place): Failure | undefined {
  const read = readFields(text, errorFields, place)
  if (!read) return undefined
  const { name, message, code, stack } = read.values
  return {
    name: cut(name || 'Error', longest.name),
    message: cut(message, longest.message),
    ...(code && { code: cut(code, longest.code) }),
    ...(stack && { stack: cut(stack, longest.stack) }),
    attempt,
  }
}

const cut = (text: string, most: number) =>
  (text.length > most ? `${text.slice(0, most - 1)}…` : text).toWellFormed()
