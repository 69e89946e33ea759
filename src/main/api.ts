import type { FastifyInstance } from 'fastify'
import { buildApi } from '../api/index.ts'
import { taskJson } from '../api/task-json.ts'
import { idSource } from '../domain/id.ts'
import type { Config } from '../runtime/config.ts'
import { cronTimes } from '../runtime/cron.ts'
import type { Log } from '../runtime/log.ts'
import { runUntilSignal, type Service, stopRequest } from '../runtime/service.ts'
import { keyStore } from '../storage/api-keys.ts'
import { batchLedger } from '../storage/batches.ts'
import { bulkStore } from '../storage/bulk-actions.ts'
import { callbackStore } from '../storage/callbacks.ts'
import { databaseClock } from '../storage/clock.ts'
import { scheduleStore } from '../storage/cron-schedules.ts'
import { failureGroups } from '../storage/failure-groups.ts'
import { gateForOthers } from '../storage/gate.ts'
import { happenedStore } from '../storage/happened.ts'
import { leasedWorkers } from '../storage/leased-workers.ts'
import { moveLog } from '../storage/move-log.ts'
import { queueStore } from '../storage/queues.ts'
import { databaseAnswers, isMigrated, partitionsReachAhead } from '../storage/readiness.ts'
import { rollupStore } from '../storage/rollups.ts'
import { sessionStore } from '../storage/sessions.ts'
import { situationReader } from '../storage/situation.ts'
import { systemStore } from '../storage/system.ts'
import { taskReader } from '../storage/task-reader.ts'
import { taskStore } from '../storage/tasks.ts'
import { workLedger } from '../storage/work-ledger.ts'
import { workerRegistry } from '../storage/workers.ts'
import { awaiting } from '../usecases/await-task.ts'
import { handlingBatches } from '../usecases/batches.ts'
import { askingForBulkActions } from '../usecases/bulk-actions.ts'
import { settleEnded } from '../usecases/call-back.ts'
import { capacityBook } from '../usecases/capacity.ts'
import { changing } from '../usecases/change.ts'
import { claimingForWorkers } from '../usecases/claim-for-worker.ts'
import { explaining } from '../usecases/explain.ts'
import { followingMoves } from '../usecases/follow-moves.ts'
import { followingStats } from '../usecases/follow-stats.ts'
import { following } from '../usecases/follow-task.ts'
import { httpWorkers } from '../usecases/http-workers.ts'
import { importing } from '../usecases/import.ts'
import type { UseCases } from '../usecases/index.ts'
import { keyBook } from '../usecases/key-book.ts'
import { managingKeys } from '../usecases/keys.ts'
import { measuring } from '../usecases/metrics.ts'
import { queueing } from '../usecases/queues.ts'
import { readingTasks } from '../usecases/read-task.ts'
import { checkReadiness, type Probe } from '../usecases/readiness.ts'
import { scheduling } from '../usecases/schedules.ts'
import { signingIn } from '../usecases/sessions.ts'
import { submitting } from '../usecases/submit.ts'
import { readingSystem } from '../usecases/system.ts'
import { dashboardFolder } from './dashboard.ts'
import { databaseUrlOf } from './database.ts'
import { gatherOn, type Node, openNode, sleep } from './node.ts'
import { processMetrics } from './process-metrics.ts'
import { checkSystem, settingReports } from './system.ts'
import { version } from './version.ts'

/** Runs an api process until it is told to stop. It answers at once, with 503 while the database is away. */
export async function runApi(config: Config, log: Log): Promise<void> {
  const request = stopRequest()
  const { url: databaseUrl, stop: stopDatabase } = await databaseUrlOf(config, (line) => log.warn(line))
  const node = await openNode(config, databaseUrl, log)
  const useCases = useCasesOf(node)
  const app = await buildApi({ useCases, apiKeys: config.apiKeys, log, version, dashboardFolder })
  const url = await app.listen({ host: config.host, port: config.port })
  log.info({ url }, 'listening')
  void node.migrated.then(() => process.send?.({ type: 'ready', url })).catch(() => {}) // stopped before
  const services: Service[] = [
    { name: 'embedded PostgreSQL', stop: stopDatabase },
    ...node.services,
    served(app),
  ]
  const deadlineMs = config.shutdownGraceMs + 5_000
  await runUntilSignal(services, { deadlineMs, report: (line) => log.info(line) }, request)
}

function served(app: FastifyInstance): Service {
  return { name: 'http', stop: () => app.close() }
}

/** The use cases with their dependencies bound. */
export function useCasesOf(node: Node): UseCases {
  const { config, moves, looks, notices, announce, publisher, batches: keeper, tally } = node
  const store = taskStore(moves, keeper.touched)
  const batches = batchLedger({ moves, looks })
  const reader = taskReader({ moves, looks })
  const registry = workerRegistry(looks)
  const clock = databaseClock(looks)
  const keys = keyStore(looks)
  const system = systemStore(looks)
  const broker = () => publisher?.state() ?? null
  const { capacityOf } = capacityBook(registry)
  const newId = idSource(clock.nowMs)
  const gather = gatherOn(2)
  const getTask = readingTasks({ reader, gather })
  const gate = gateForOthers(moves)
  const working = {
    workers: leasedWorkers(moves, gate.freed),
    ledger: workLedger(moves, keeper.touched, gate),
    queues: queueStore(moves),
    newId,
    announce,
    tally,
  }
  const callBack = { callbacks: callbackStore(moves), newId, announce, describe: taskJson }
  const submit = submitting({ store, reader, newId, capacityOf, announce, gather })
  return {
    ...submit,
    ...scheduling({ schedules: scheduleStore(moves), cron: cronTimes, submitTask: submit.submitTask }),
    ...changing({ store, reader, notices, announce, gather, settle: (ids) => settleEnded(callBack, ids) }),
    getTask,
    ...awaiting({ read: getTask, reader, sleep }),
    ...following({ read: getTask, reader, sleep }),
    ...followingMoves({ log: moveLog(moves), newId, sleep }),
    ...handlingBatches({ batches, settle: keeper.settle, notices, announce, sleep }),
    ...importing({ store, batches, newId, capacityOf, announce, touched: keeper.touched, sleep }),
    ...httpWorkers(working),
    ...claimingForWorkers({ ...working, sleep }),
    ...followingStats({ reader, sleep }),
    listFailureGroups: failureGroups(looks).read,
    readHistory: rollupStore(looks).read,
    listTasks: reader.list,
    ...askingForBulkActions({ actions: bulkStore({ moves, looks }), newId }, node.bulkActions),
    ...explaining({ situations: situationReader({ moves, looks }), read: getTask }),
    readStats: reader.stats,
    listWorkers: registry.list,
    ...measuring({
      reader,
      system,
      happened: happenedStore(looks),
      broker,
      own: processMetrics({ moves, looks }),
    }),
    ...readingSystem({
      system,
      broker,
      settings: settingReports(config),
      check: () => checkSystem(config),
      sleep,
    }),
    ...managingKeys({ keys, book: keyBook({ keys, sleep }) }),
    ...signingIn({ sessions: sessionStore(looks), gather: gatherOn(1) }),
    ...queueing({ queues: queueStore(looks), reader, notices }),
    checkReadiness: () => checkReadiness(probesOf(looks, publisher)),
  }
}

function probesOf(looks: Node['looks'], publisher: Node['publisher']): Probe[] {
  const probes: Probe[] = [
    { name: 'database', check: () => databaseAnswers(looks) },
    { name: 'migrations', check: () => isMigrated(looks) },
    { name: 'partitions', check: () => partitionsReachAhead(looks) },
  ]
  // Not a reason to be unready: submissions are accepted without the broker, and run when it is back.
  const broker = async () =>
    publisher?.connected() ? 'connected' : 'away: tasks are accepted and run when it is back'
  return publisher ? [...probes, { name: 'broker', check: broker }] : probes
}
