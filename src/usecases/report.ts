import { StoreUnavailableError } from '../domain/errors.ts'
import type { Log } from '../domain/ports.ts'

/** An outage is a warning of one line, for it passes; anything else is a bug, and its stack is wanted. */
export function reportTo(log: Log, error: unknown, message: string, fields: object = {}): void {
  if (error instanceof StoreUnavailableError) log.warn({ ...fields, reason: error.message }, message)
  else log.error({ ...fields, err: error }, message)
}
