import { until } from '../../support/until.ts'
import { check, type Verdict } from '../check/checker.ts'
import { isQuiet, takeSnapshot } from '../check/snapshot.ts'
import { type ClientLine, type HandlerLine, type RigLine, readLines } from '../system/ledger.ts'
import type { Deployment } from '../system/system.ts'
import { guilty } from '../tasks.ts'

/** Resolves when nothing is left to do, and fails when that takes longer than `patienceMs`. */
export async function untilQuiet(
  { database }: Pick<Deployment, 'database'>,
  patienceMs: number,
): Promise<void> {
  await until(() => isQuiet(database.query), { deadlineMs: patienceMs, what: 'all tasks are final' })
}

/** Holds what was written down against what is stored. */
export async function judge({ transport, database, leaseMs, ledgers }: Deployment): Promise<Verdict> {
  return check({
    transport,
    client: readLines<ClientLine>(ledgers.client),
    handlers: readLines<HandlerLine>(ledgers.handlers),
    rig: readLines<RigLine>(ledgers.rig),
    database: await takeSnapshot(database.query),
    guilty,
    leaseMs,
  })
}

/** Waits until all tasks are final, and judges the whole as after a run with faults. */
export async function verdictOf(deployment: Deployment, patienceMs: number): Promise<Verdict> {
  await untilQuiet(deployment, patienceMs)
  return judge(deployment)
}
