import { setTimeout as sleep } from 'node:timers/promises'
import { diskFull } from '../system/disk.ts'
import type { DatabaseServer, Effect, Fault } from '../trial/fault.ts'

const transports = ['postgresql', 'rabbitmq'] as const
// Locks and answers go with the connections: who was cut off while it claimed may be declared dead.
const effects: readonly Effect[] = ['outage', 'restarts']

/** The database goes away and comes back. */
export const faults: Fault[] = [
  {
    kind: 'PostgreSQL ends some connections',
    transports,
    effects,
    strike: async ({ database }, random) => endBackends(database, random.pick([0.1, 0.3, 0.6])),
  },
  {
    kind: 'PostgreSQL ends all connections',
    transports,
    effects,
    strike: async ({ database }) => endBackends(database, 1),
  },
  {
    kind: 'PostgreSQL fast restart',
    transports,
    effects,
    strike: async ({ database }) => nobody(database.restart()),
  },
  {
    kind: 'PostgreSQL kill -9',
    transports,
    effects,
    strike: async ({ database }) => nobody(database.kill()),
  },
  {
    kind: 'PostgreSQL away for some seconds',
    transports,
    effects,
    async strike({ database }, random) {
      await database.stop()
      await sleep(random.between(1_000, 6_000))
      await database.start()
      return undefined
    },
  },
  diskFull,
]

async function endBackends(database: DatabaseServer, share: number) {
  await database.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'millrace' and pid <> pg_backend_pid() and random() < $1`,
    [share],
  )
  return undefined
}

async function nobody(done: Promise<void>) {
  await done
  return undefined
}
