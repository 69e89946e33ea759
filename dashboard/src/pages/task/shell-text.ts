import type { Task } from '../../../../src/client/index.ts'
import { withoutTricks } from '../../ui/json/tree.ts'

/** Above this a system refuses the argument of a command, so the body comes through its input. */
const longestArgument = 100_000

/** One word for a POSIX shell, whatever is in it. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

/** What the task was submitted with, as JSON text; the payload stays as it was written. */
export function submissionText(task: Task, payloadText: string): string {
  const { type, queue, key, priority, maxAttempts } = task
  const given = JSON.stringify({
    type,
    queue,
    ...(key === null ? {} : { key }),
    ...(priority === 'normal' ? {} : { priority }),
    maxAttempts,
  })
  return `${given.slice(0, -1)},"payload":${payloadText}}`
}

/** A command that submits the same task again. */
export function curlText(url: string, body: string, needsKey: boolean): string {
  const text = withoutTricks(body)
  const head = [
    `curl ${shellWord(`${url}/tasks`)}`,
    `-H 'content-type: application/json'`,
    ...(needsKey ? ['-H "authorization: Bearer $MILLRACE_API_KEY"'] : []),
  ]
  if (text.length <= longestArgument) return [...head, `--data-raw ${shellWord(text)}`].join(' \\\n  ')
  const end = endMark(text)
  return `${[...head, `--data-binary @- <<'${end}'`].join(' \\\n  ')}\n${text}\n${end}`
}

/** A line that the text does not have. */
function endMark(text: string): string {
  let mark = 'END'
  while (text.includes(mark)) mark += '_'
  return mark
}
