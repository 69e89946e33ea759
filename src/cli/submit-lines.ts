import { ConnectionError, type Millrace, MillraceError } from '../client/index.ts'
import { parseReply } from '../client/reply.ts'
import { say } from './words.ts'

/** A line of a file and its submission. */
export type Line = { number: number; text: string }
export type Refused = { number: number; fault: string }
export type Stored = { number: number; id: string }

/**
 * Stores a batch in one call. The server takes all or nothing and says which tasks it refuses, so the others are
 * sent again without those.
 */
export async function submitLines(
  millrace: Millrace,
  lines: readonly Line[],
): Promise<{ stored: Stored[]; refused: Refused[] }> {
  const refused: Refused[] = []
  let left = lines
  while (left.length > 0) {
    const answer = await tryBatch(millrace, left)
    if (Array.isArray(answer)) return { stored: answer, refused }
    refused.push(...answer.refused)
    const numbers = new Set(answer.refused.map(({ number }) => number))
    left = left.filter(({ number }) => !numbers.has(number))
  }
  return { stored: [], refused }
}

async function tryBatch(
  millrace: Millrace,
  lines: readonly Line[],
): Promise<Stored[] | { refused: Refused[] }> {
  const body = `{"tasks":[${lines.map(({ text }) => text).join(',')}]}`
  try {
    const reply = await millrace.request({ method: 'POST', path: '/tasks/batch', body, repeatable: false })
    const { ids } = parseReply<{ ids: string[] }>(reply)
    return ids.map((id, at) => ({ number: lines[at]!.number, id }))
  } catch (error) {
    const refused = refusedLines(error, lines)
    if (refused.length > 0) return { refused }
    if (isUnclear(error)) say(unclear(lines))
    throw error
  }
}

/** The lines that the server's pointers (`#/tasks/17/type`) name. */
function refusedLines(error: unknown, lines: readonly Line[]): Refused[] {
  if (!(error instanceof MillraceError)) return []
  const faults = new Map<number, string>()
  for (const { pointer = '', detail } of error.errors) {
    const [, index, field] = pointer.match(/^#?\/tasks\/(\d+)(?:\/(.*))?$/) ?? []
    const line = lines[Number(index ?? Number.NaN)]
    if (!line) continue
    const fault = field && !detail.includes(field) ? `${field}: ${detail}` : detail
    faults.set(line.number, faults.has(line.number) ? `${faults.get(line.number)}; ${fault}` : fault)
  }
  return Array.from(faults, ([number, fault]) => ({ number, fault }))
}

/** The connection broke, or the database went away, while the batch was on its way. */
function isUnclear(error: unknown): boolean {
  return error instanceof ConnectionError || (error instanceof MillraceError && (error.status ?? 0) >= 500)
}

function unclear(lines: readonly Line[]): string {
  return `Lines ${lines[0]!.number} to ${lines.at(-1)!.number} may be stored or not: nobody knows. Those before are, those after are not.`
}
