import type { FastifyRequest } from 'fastify'
import { invalid } from './problem.ts'

export const longestWaitSeconds = 60

/**
 * The seconds of `Prefer: wait=N` (RFC 7240), 60 at most; undefined without. What else is preferred is not known here
 * and left alone, as the RFC has it. Throws the Problem for a wait that is no number of seconds.
 */
export function readPreferredWait({ headers }: FastifyRequest): number | undefined {
  const given = headers.prefer
  const preferences = (Array.isArray(given) ? given.join() : (given ?? '')).split(',')
  const wait = preferences.find((preference) => /^\s*wait\s*(?:[=;]|$)/i.test(preference))
  if (wait === undefined) return undefined
  const seconds = /^\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:;|$)/i.exec(wait)?.[1]
  if (seconds === undefined)
    throw invalid([{ header: 'Prefer', detail: 'wait must be a whole number of seconds, as in wait=10' }])
  return Math.min(longestWaitSeconds, Number(seconds))
}
