import { StoreUnavailableError } from '../domain/errors.ts'
import type { Log } from '../domain/ports.ts'

/** An outage is a warning, for it passes; anything else is a bug. */
export function reportTo(log: Log, error: unknown, message: string, fields: object = {}): void {
  log[error instanceof StoreUnavailableError ? 'warn' : 'error']({ ...fields, err: error }, message)
}
