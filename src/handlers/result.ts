import { limits } from '../domain/submission.ts'
import type { JsonText } from '../domain/task.ts'
import { InvalidResultError, messageOf } from './failure.ts'

/** What a handler returned, as JSON; `undefined` becomes null. Fails with an InvalidResultError. */
export function resultText(result: unknown): JsonText {
  if (result === undefined) return 'null'
  const text = toJson(result)
  if (text === undefined) throw new InvalidResultError(`the result is a ${typeof result}, which JSON has not`)
  // A UTF-16 unit is 3 bytes at most, so most results need not be measured.
  const bytes = text.length * 3 > limits.resultBytes ? Buffer.byteLength(text) : 0
  if (bytes <= limits.resultBytes) return text
  throw new InvalidResultError(
    `the result has ${bytes} bytes of JSON, and ${limits.resultBytes} is the limit`,
  )
}

/** Undefined for what JSON leaves out, which the built-in type does not say. */
function toJson(result: unknown): string | undefined {
  try {
    return JSON.stringify(result)
  } catch (error) {
    throw new InvalidResultError(`the result cannot be stored as JSON: ${messageOf(error)}`, { cause: error })
  }
}
