import { setTimeout } from 'node:timers/promises'
import { taskJson } from '../api/task-json.ts'
import { type RabbitPublisher, rabbitPublisher } from '../broker/rabbitmq-publisher.ts'
import { idSource } from '../domain/id.ts'
import { type PacketRef, packetLimit } from '../domain/packet.ts'
import type { Notices, Sleep } from '../domain/ports.ts'
import type { Tally } from '../domain/rollup.ts'
import { batch } from '../runtime/batch.ts'
import type { Config } from '../runtime/config.ts'
import { cronTimes } from '../runtime/cron.ts'
import type { Log } from '../runtime/log.ts'
import { reasonOf } from '../runtime/reason.ts'
import type { Service } from '../runtime/service.ts'
import { batchCallbackStore } from '../storage/batch-callbacks.ts'
import { batchUpkeep } from '../storage/batch-upkeep.ts'
import { bulkStore } from '../storage/bulk-actions.ts'
import { callbackStore } from '../storage/callbacks.ts'
import { databaseClock } from '../storage/clock.ts'
import { type Database, openDatabase } from '../storage/connection.ts'
import { scheduleStore } from '../storage/cron-schedules.ts'
import { failureGroups } from '../storage/failure-groups.ts'
import { listenerWatch } from '../storage/listening.ts'
import { notices as openNotices } from '../storage/notices.ts'
import { outbox } from '../storage/packets.ts'
import { rollupStore } from '../storage/rollups.ts'
import { upkeep } from '../storage/upkeep.ts'
import { workerRegistry } from '../storage/workers.ts'
import { type BulkKeeper, bulkRounds, keepingBulkActions } from '../usecases/bulk-actions.ts'
import { callingBack, callingBackBatches, settleEnded } from '../usecases/call-back.ts'
import { capacityBook } from '../usecases/capacity.ts'
import { failureRounds } from '../usecases/fold-failures.ts'
import { housekeep } from '../usecases/housekeep.ts'
import { type BatchKeeper, keepingBatches } from '../usecases/keep-batches.ts'
import { type Relay, startRelay } from '../usecases/relay.ts'
import { rollupRounds } from '../usecases/roll-up.ts'
import type { Gather } from '../usecases/submit.ts'
import { tallyBook } from '../usecases/tally.ts'
import { tickSchedules } from '../usecases/tick.ts'
import { migrate } from './migrate.ts'

/** What api and worker processes have in common: the ledger, a way to announce packets, and the housekeeping. */
export type Node = {
  config: Config
  moves: Database
  looks: Database
  notices: Notices
  /** Tells whoever must know that packets wait: the broker, or workers that look for themselves. */
  announce: (packets: readonly PacketRef[]) => void
  publisher: RabbitPublisher | undefined
  batches: BatchKeeper
  bulkActions: BulkKeeper
  /** Hears how long tasks wait and run, for the charts. */
  tally: Tally
  /** Resolves when the database is there and up to date. */
  migrated: Promise<void>
  services: Service[]
}

export const sleep: Sleep = (ms, signal) => setTimeout(ms, undefined, signal ? { signal } : {})

/** `batch` with a number of lanes, as use cases ask for it. */
export function gatherOn(lanes: number): Gather {
  return (run, options) => batch(run, { maxSize: 500, lanes, ...options })
}

const waitForDatabaseMs = 1_000
/** Counting a partition of a hundred million rows takes its time. */
const choreTimeoutMs = 3_600_000

type Migration = { databaseUrl: string; retentionDays: number; log: Log }

/** Resolves when the database is there and up to date, and rejects when `signal` aborts first. */
async function untilMigrated(
  { databaseUrl, retentionDays, log }: Migration,
  signal: AbortSignal,
): Promise<void> {
  for (let told = false; ; told = true) {
    try {
      const applied = await migrate(databaseUrl, { retentionDays })
      if (applied.length > 0) log.info({ applied }, 'the database was brought up to date')
      return
    } catch (error) {
      signal.throwIfAborted()
      if (!told) log.warn({ reason: reasonOf(error) }, 'the database is not ready; waiting for it')
      await sleep(waitForDatabaseMs, signal)
    }
  }
}

/** Connects. The database and the broker may both be away, now or later: nothing here waits for them for long. */
export async function openNode(config: Config, databaseUrl: string, log: Log): Promise<Node> {
  const listeners = listenerWatch()
  const { isListenedTo } = listeners
  const moves = openDatabase(databaseUrl, {
    connections: 8,
    statementTimeoutMs: 30_000,
    plans: 'moves',
    isListenedTo,
  })
  const looks = openDatabase(databaseUrl, { connections: 4, statementTimeoutMs: 60_000, plans: 'looks' })
  const chores = openDatabase(databaseUrl, {
    connections: 1,
    statementTimeoutMs: choreTimeoutMs,
    plans: 'looks',
  })
  const notices = openNotices(looks)
  const services: Service[] = [
    {
      name: 'database',
      stop: async () => void (await Promise.all([moves, looks, chores].map((database) => database.close()))),
    },
    { name: 'notices', stop: async () => notices.stop() },
  ]
  const publisher = config.amqpUrls.length > 0 ? rabbitPublisher({ urls: config.amqpUrls, log }) : undefined
  const stopping = new AbortController()
  const { retentionDays } = config
  const migrated = untilMigrated({ databaseUrl, retentionDays, log }, stopping.signal)
  if (publisher) await untilConnected(publisher)
  const announce = publisher ? relayTo(publisher, moves, { log, services, migrated }) : announceBy(notices)
  const keeper = { announce, log, sleep, retentionDays, packetSize: packetLimit(config.concurrency) }
  const { capacityOf } = capacityBook(workerRegistry(looks))
  const newId = idSource(databaseClock(looks).nowMs)
  const batchCare = batchUpkeep({ moves, chores })
  const batches = keepingBatches({ upkeep: batchCare, newId, capacityOf, announce, sleep, log })
  const bulkActions = bulkKeeperOf({ moves, looks, notices, announce, batches }, retentionDays, log)
  const tally = tallyBook({ store: rollupStore(looks), sleep, log })
  services.push({ name: 'tally', stop: tally.stop })
  const housekeeping = migrated.then(() =>
    Promise.all([
      housekeep(
        {
          ...keeper,
          rounds: [...roundsOf({ moves, looks, announce, retentionDays, log }), ...bulkRounds(bulkActions)],
          upkeep: upkeep({ moves, looks, chores }, listeners),
        },
        stopping.signal,
      ),
      batches.run(stopping.signal),
    ]),
  )
  housekeeping.catch(() => {}) // stopped before it began
  services.push({
    name: 'housekeeping',
    async stop() {
      stopping.abort()
      await housekeeping.catch(() => {})
    },
  })
  return {
    config,
    moves,
    looks,
    notices,
    announce,
    publisher,
    batches,
    bulkActions,
    tally,
    migrated,
    services,
  }
}

function bulkKeeperOf(
  {
    moves,
    looks,
    notices,
    announce,
    batches,
  }: Pick<Node, 'moves' | 'looks' | 'notices' | 'announce' | 'batches'>,
  retentionDays: number,
  log: Log,
): BulkKeeper {
  const newId = idSource(databaseClock(looks).nowMs)
  const callBack = { callbacks: callbackStore(moves), newId, announce, describe: taskJson }
  return keepingBulkActions({
    ...{ actions: bulkStore({ moves, looks }), newId, notices, announce, retentionDays, log },
    settle: (ids) => settleEnded(callBack, ids),
    touched: batches.touched,
  })
}

/** What the housekeeping does beside the ledger's own. */
function roundsOf({
  moves,
  looks,
  announce,
  retentionDays,
  log,
}: Pick<Node, 'moves' | 'looks' | 'announce'> & { retentionDays: number; log: Log }) {
  const newId = idSource(databaseClock(looks).nowMs)
  const ticking = { schedules: scheduleStore(moves), cron: cronTimes, newId, announce, log }
  const calling = callingBack({ callbacks: callbackStore(moves), newId, announce, describe: taskJson })
  const callingBatches = callingBackBatches({ callbacks: batchCallbackStore(moves), newId, announce })
  return [
    { what: 'following schedules', round: () => tickSchedules(ticking) },
    { what: 'looking for callbacks', round: calling },
    { what: 'looking for callbacks of batches', round: callingBatches },
    ...rollupRounds(rollupStore(looks)),
    ...failureRounds(failureGroups(looks), retentionDays),
  ]
}

const firstConnectionMs = 1_000

/** So that a start with a broker that is there does not begin with a warning that it is not. */
async function untilConnected({ connected }: RabbitPublisher): Promise<void> {
  for (const untilMs = performance.now() + firstConnectionMs; performance.now() < untilMs; ) {
    if (connected()) return
    await sleep(20)
  }
}

type Surroundings = { log: Log; services: Service[]; migrated: Promise<void> }

function relayTo(
  publisher: RabbitPublisher,
  moves: Database,
  { log, services, migrated }: Surroundings,
): Node['announce'] {
  let relay: Relay | undefined
  const started = migrated.then(() => {
    relay = startRelay({ outbox: outbox(moves), publisher, log, sleep })
  })
  started.catch(() => {}) // stopped before
  const stop = () => started.then(() => relay?.stop()).catch(() => {})
  services.push({ name: 'publisher', stop: publisher.stop }, { name: 'relay', stop })
  return (packets) => relay?.offer(packets)
}

function announceBy(notices: Notices): Node['announce'] {
  return (packets) => {
    if (packets.length > 0) notices.packetsWaiting()
  }
}
