import type { AttemptRef } from './ports.ts'

/** How far an attempt says it is. */
export type ProgressReport = AttemptRef & { done: number; total: number | null; message: string | null }

const longestMessage = 500

/**
 * What a handler says about how far it is, fit to be stored: PostgreSQL's text has no NUL, and a message is a line and
 * no document. Throws a TypeError for numbers that mean nothing, which a handler's first test run shows.
 */
export function progressReport(
  { id, attempt }: AttemptRef,
  done: number,
  { total, message }: { total?: number | undefined; message?: string | undefined },
): ProgressReport {
  requireAmount('done', done)
  if (total !== undefined && total !== null) requireAmount('total', total)
  const text = message === undefined || message === null ? null : storable(String(message))
  return { id, attempt, done, total: total ?? null, message: text }
}

function requireAmount(name: string, value: unknown) {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return
  throw new TypeError(`progress: ${name} must be a number from 0 on, and is ${String(value)}`)
}

function storable(message: string): string {
  const text = message.replaceAll('\0', '').toWellFormed()
  return text.length <= longestMessage ? text : `${text.slice(0, longestMessage - 1).toWellFormed()}…`
}
