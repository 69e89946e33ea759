import { BrokerUnavailableError, StoreUnavailableError } from '../domain/errors.ts'
import type { Log } from '../domain/ports.ts'

export type OutageLog = {
  began(error: unknown): void
  /** Both the database and the broker have just answered. */
  over(): void
}

/** Says once that packets cannot be carried, however often it is tried, and once that they can be again. */
export function outageLog(log: Log): OutageLog {
  const known = new Set<string>()
  return {
    began(error) {
      const reason = error instanceof Error ? error.message : String(error)
      const kind = isOutage(error) ? error.name : reason
      if (known.has(kind)) return
      known.add(kind)
      if (isOutage(error)) log.warn({ reason }, 'packets wait in the ledger until the outage is over')
      else log.error({ err: error }, 'packets could not be carried to the broker')
    },
    over() {
      if (known.size > 0) log.info({}, 'packets are carried to the broker again')
      known.clear()
    },
  }
}

function isOutage(error: unknown): error is StoreUnavailableError | BrokerUnavailableError {
  return error instanceof StoreUnavailableError || error instanceof BrokerUnavailableError
}
