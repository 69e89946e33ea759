import type { WorkLedger } from '../domain/ports.ts'
import { claim } from './claim.ts'
import type { Database } from './connection.ts'
import { finish } from './finish.ts'
import { giveBack, held, lapsed, postpone, split } from './held-packets.ts'

/** What a worker does with packets, bound to a database. `touched` hears of batches in which something became final. */
export function workLedger(
  database: Database,
  touched: (batchIds: readonly string[]) => void = () => {},
): WorkLedger {
  return {
    claim: (worker, want) => claim(database, worker, want),
    finish: (workerId, outcomes, settled) => finish(database, workerId, { outcomes, settled, touched }),
    postpone: (workerId, packets) => postpone(database, workerId, packets),
    split: (packets, limit) => split(database, packets, limit),
    held: (workerId) => held(database, workerId),
    giveBack: (workerId, packets) => giveBack(database, workerId, { packets, crashed: false }),
    lapsed: (workerId, attempts) => lapsed(database, workerId, attempts),
  }
}
