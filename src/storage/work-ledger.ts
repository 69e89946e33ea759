import type { WorkLedger } from '../domain/ports.ts'
import { claim } from './claim.ts'
import type { Database } from './connection.ts'
import { finish } from './finish.ts'
import { type Gate, gate } from './gate.ts'
import { giveBack, held, lapsed, postpone, split } from './held-packets.ts'

/** What a worker does with packets, bound to a database. `touched` hears of batches in which something became final. */
export function workLedger(
  database: Database,
  touched: (batchIds: readonly string[]) => void = () => {},
  { claim: claimThroughGate, release }: Gate = gate(database),
): WorkLedger {
  return {
    claim: (worker, want) =>
      'gate' in want
        ? claimThroughGate(worker, { queue: want.gate, room: want.room })
        : claim(database, worker, want),
    // What has ended counts until its outcome is written. If this process dies in between, its packet tells.
    async finish(workerId, outcomes, settled) {
      const back = await finish(database, workerId, { outcomes, settled, touched })
      await release(
        outcomes.map(({ task }) => task),
        settled,
      )
      return back
    },
    postpone: (workerId, packets) => postpone(database, workerId, packets),
    split: (packets, limit) => split(database, packets, limit),
    held: (workerId) => held(database, workerId),
    giveBack: (workerId, packets) => giveBack(database, workerId, { packets, crashed: false }),
    lapsed: (workerId, attempts) => lapsed(database, workerId, attempts),
  }
}
