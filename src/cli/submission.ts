import { memberTexts } from '../client/json-text.ts'
import { UsageError } from './exit-code.ts'
import { say } from './words.ts'

/** The options of `submit` that are fields of a submission. */
export type Fields = {
  type?: string
  queue?: string
  priority?: string
  taskKey?: string
  delay?: number
  runAt?: string
  maxAttempts?: number
  timeout?: number
  key?: string
  callback?: string
}

/** The fields as JSON texts, under the names that the server knows. */
export function fieldTexts({ delay, timeout, key, ...rest }: Fields): Map<string, string> {
  const { type, queue, taskKey, priority, runAt, maxAttempts, callback } = rest
  const fields = {
    type,
    queue,
    key: taskKey,
    priority,
    delayMs: delay,
    runAt,
    maxAttempts,
    timeoutMs: timeout,
    idempotencyKey: key,
    callbackUrl: callback,
  }
  return new Map(
    Object.entries(fields).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, JSON.stringify(value)]],
    ),
  )
}

/** A JSON object from its members' texts. Nothing is parsed, so a payload's numbers stay as they were written. */
export function objectText(members: Iterable<readonly [string, string]>): string {
  return `{${Array.from(members, ([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`
}

/**
 * The payload as JSON text. What is no JSON and does not begin like some is taken for a string, and that is said:
 * `millrace submit hello` has one meaning, and a forgotten brace must not become a string.
 */
export function payloadText(given: string, { string = false } = {}): string {
  if (string) return JSON.stringify(given)
  const fault = faultOf(given)
  if (fault === undefined) return given
  if (given.trim() === '' || /^\s*[{["]/.test(given)) {
    throw new UsageError(`the payload is no JSON (${fault}); --string sends text as it is`)
  }
  say(
    `note: the payload is no JSON and goes as the string ${JSON.stringify(given)}; --string says that it is meant so`,
  )
  return JSON.stringify(given)
}

/** A line of a file as a submission, with the fields that it leaves open; or what is wrong with it. */
export function lineSubmission(
  line: string,
  fields: ReadonlyMap<string, string>,
): { text: string } | { fault: string } {
  const fault = faultOf(line)
  if (fault !== undefined) return { fault: `no JSON: ${fault}` }
  if (!line.trimStart().startsWith('{'))
    return { fault: 'no object; a line is one such as {"payload":1,"type":"default"}' }
  const members = memberTexts(line)
  if (!members.has('payload')) return { fault: 'payload is missing' }
  return { text: fields.size === 0 ? line : objectText(new Map([...fields, ...members])) }
}

function faultOf(text: string): string | undefined {
  try {
    JSON.parse(text)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
