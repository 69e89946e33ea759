import type { Upkeep } from '../domain/ports.ts'
import type { Database } from './connection.ts'
import { foldCounters, sampleCounts } from './counters.ts'
import { type ListenerWatch, listenerWatch } from './listening.ts'
import { forgetMoves } from './move-log.ts'
import { keepPartitions } from './partitions.ts'
import { retire } from './retention.ts'
import { promote } from './schedule.ts'
import { createSweeper } from './sweep.ts'

/** Housekeeping of the ledger, bound to databases: `moves` for what is frequent, `chores` for what may take long. */
export function upkeep(
  { moves, looks, chores }: Record<'moves' | 'looks' | 'chores', Database>,
  listeners: ListenerWatch = listenerWatch(),
): Upkeep {
  const sweep = createSweeper(moves)
  return {
    promote: (limit, packetSize) => promote(moves, limit, packetSize),
    sweep,
    lookForListeners: () => listeners.look(looks),
    forgetMoves: () => forgetMoves(moves),
    foldCounters: () => foldCounters(moves),
    sampleCounts: () => sampleCounts(looks),
    keepPartitions: (retentionDays) => keepPartitions(chores, retentionDays),
    retire: (retentionDays) => retire(chores, retentionDays),
  }
}
