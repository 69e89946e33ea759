import { hostname } from 'node:os'
import { fileURLToPath } from 'node:url'
import { ledgerSource } from '../broker/ledger-source.ts'
import { rabbitSource } from '../broker/rabbitmq-source.ts'
import { wakeableSource } from '../broker/wakeable-source.ts'
import { idSource } from '../domain/id.ts'
import { type PacketRef, packetLimit } from '../domain/packet.ts'
import type { PacketSource } from '../domain/ports.ts'
import { type Handlers, loadHandlers, withHandlers } from '../handlers/load-handlers.ts'
import { createRunner, guardMs } from '../handlers/runner.ts'
import { logStrayErrors } from '../handlers/stray-errors.ts'
import { webhookTask } from '../handlers/webhook.ts'
import type { Config } from '../runtime/config.ts'
import type { Log } from '../runtime/log.ts'
import { runUntilSignal, type Service, stopRequest } from '../runtime/service.ts'
import { hasCrashedLately } from '../storage/crashes.ts'
import { outbox } from '../storage/packets.ts'
import { progressStore } from '../storage/progress.ts'
import { queueStore } from '../storage/queues.ts'
import { workLedger } from '../storage/work-ledger.ts'
import { followGates } from '../usecases/follow-gates.ts'
import { gatedSource } from '../usecases/gated-source.ts'
import { progressDesk } from '../usecases/report-progress.ts'
import { startWork, type Work } from '../usecases/work.ts'
import { databaseUrlOf } from './database.ts'
import { type LifelineMessage, startLifeline } from './lifeline.ts'
import { gatherOn, type Node, openNode, sleep } from './node.ts'
import { version } from './version.ts'

/** Runs a worker process until it is told to stop; then tasks have the grace period, and the rest is handed back. */
export async function runWorker(config: Config, log: Log): Promise<void> {
  const request = stopRequest()
  const database = await databaseUrlOf(config, (line) => log.warn(line))
  const services: Service[] = [{ name: 'embedded PostgreSQL', stop: database.stop }]
  const stopping = new AbortController()
  const started = startWorkerServices(config, database.url, { log, services, signal: stopping.signal })
  const isStarted = await Promise.race([started.then(() => true), request.then(() => false)])
  if (isStarted) process.send?.({ type: 'ready' })
  // Told to stop while it starts, it first starts no more, and then stops what there is.
  else services.push({ name: 'starting', stop: () => givenUp(started, stopping, log) })
  const deadlineMs = config.shutdownGraceMs + 10_000
  await runUntilSignal(services, { deadlineMs, report: (line) => log.info(line) }, request)
}

async function givenUp(started: Promise<void>, stopping: AbortController, log: Log): Promise<void> {
  stopping.abort(new Error('told to stop before it was ready'))
  await started.catch((error) => log.debug({ err: error }, 'stopped before it was ready'))
}

const finishLanes = 2
const prefetch = 16
const reconcileEveryMs = 10_000

export type Startup = {
  log: Log
  /** What runs already, to be stopped last to first; grows while the worker starts. */
  services: Service[]
  /** Ends the starting, whatever it waits for: nothing is started after it has aborted. */
  signal?: AbortSignal
  /** In place of those that the settings name. */
  handlers?: Handlers
}

/** Starts a worker in this process; resolves when it takes tasks, and rejects when `signal` was first. */
export async function startWorkerServices(
  config: Config,
  databaseUrl: string,
  { log, services, signal, handlers: given }: Startup,
): Promise<void> {
  const wait = waitingUnless(signal)
  const { queues, concurrency, webhookSecrets: secrets, webhookAllowPrivate: allowPrivate } = config
  const webhook = webhookTask({ secrets, allowPrivate, version })
  const loaded = given ?? (await wait(loadHandlers(config.tasks ?? defaultTasks)))
  const handlers = withHandlers(loaded, [webhook])
  const types = [...handlers.definitions.keys()]
  const id = idSource()()
  const node = await openNode(config, databaseUrl, log)
  services.push(...node.services)
  await wait(node.migrated)
  const isOnGuard = await wait(hasCrashedLately(node.moves, hostname(), guardMs).catch(() => false))
  const progress = progressDesk({ store: progressStore(node.moves), sleep, log })
  services.push({ name: 'progress', stop: progress.stop })
  const runner = createRunner({ handlers, log, concurrency, isOnGuard, hear: progress.hear })
  const stopLogging = logStrayErrors(log)
  const opened = openSource(config, node, log)
  const source = gatedSource(opened.source, queues)
  const { wake } = source
  const gates = followGates({ queues: queueStore(node.looks), use: source.use, sleep, log })
  services.push({ name: 'gates', stop: gates.stop })
  await wait(gates.known)
  const announce = (packets: readonly PacketRef[]) => {
    node.announce(packets)
    if (packets.length > 0) wake()
  }
  let work: Work | undefined
  const lifeline = startLifeline({
    databaseUrl,
    worker: { id, host: hostname(), pid: process.pid, version, queues: [...queues], types, concurrency },
    running: () => work?.running() ?? 0,
    hear: listener({ work: () => work, wake, look: gates.look, log }),
  })
  services.push(lifeline.service, ...opened.services)
  services.push({ name: 'handlers', stop: () => runner.stop().then(stopLogging) })
  await wait(lifeline.known)
  work = startWork({
    ledger: workLedger(node.moves, node.batches.touched),
    source,
    runner,
    worker: { id, types, packetLimit: packetLimit(concurrency) },
    concurrency,
    announce,
    tally: node.tally,
    lanes: Array.from({ length: finishLanes }, () => gatherOn(1)),
    sleep,
    log,
  })
  services.push(reconciling(work, log), workService(work, config))
  log.info({ workerId: id, queues, types, concurrency, tasks: handlers.path }, 'working')
}

/** Waits for a promise, or until the signal aborts, and then rejects. */
function waitingUnless(signal: AbortSignal | undefined): <T>(promise: Promise<T>) => Promise<T> {
  const aborted = new Promise<never>((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason))
  })
  aborted.catch(() => {})
  return (promise) => Promise.race([aborted, promise])
}

function workService(work: Work, { shutdownGraceMs }: Config): Service {
  return { name: 'work', stop: () => work.stop(shutdownGraceMs) }
}

type Hearing = { work: () => Work | undefined; wake: (more?: boolean) => void; look: () => void; log: Log }

/** What a worker does about what its lifeline tells. */
function listener({ work, wake, look, log }: Hearing) {
  let isCut = false
  return (message: LifelineMessage) => {
    if (message.kind === 'packets') wake(message.more)
    if (message.kind === 'queues' || message.kind === 'alive') look()
    if (message.kind === 'canceled') work()?.cancel(message.attempts)
    if (message.kind === 'alive') {
      if (isCut) log.info({}, 'the lifeline to the database holds again')
      void reconcile(work(), log) // notices may have been missed, claims unanswered
    }
    if (message.kind === 'lost' && !isCut) {
      log.warn({ reason: message.reason }, 'the lifeline to the database is cut; reconnecting')
    }
    isCut = message.kind === 'lost'
  }
}

const defaultTasks = fileURLToPath(new URL('../../examples', import.meta.url))

type Opened = { source: PacketSource & { wake(more?: boolean): void }; services: Service[] }

/** The one difference between the transports. */
function openSource({ queues, amqpUrls }: Config, { moves }: Node, log: Log): Opened {
  if (amqpUrls.length === 0) {
    const source = ledgerSource(queues, sleep)
    return { source, services: [] }
  }
  const { resend } = outbox(moves)
  const consumer = rabbitSource({
    urls: amqpUrls,
    queues,
    prefetch,
    log,
    async onMarker(place, at) {
      const packets = await resend(place, at)
      // Lost by the broker, or only waiting in another worker's prefetch: a repeat is harmless.
      if (packets > 0) log.info({ ...place, packets }, 'sending packets again that are overdue')
    },
  })
  const source = wakeableSource(consumer, queues, sleep)
  const wake = (more?: boolean) => more && source.wake()
  return { source: { ...source, wake }, services: [{ name: 'consumer', stop: consumer.stop }] }
}

/** Now and then a worker compares what it holds with what the ledger says it holds. */
function reconciling(work: Work, log: Log): Service {
  const stopping = new AbortController()
  const done = (async () => {
    while (!stopping.signal.aborted) {
      await sleep(reconcileEveryMs, stopping.signal).catch(() => {})
      if (!stopping.signal.aborted) await reconcile(work, log)
    }
  })()
  return {
    name: 'reconciling',
    async stop() {
      stopping.abort()
      await done
    },
  }
}

async function reconcile(work: Work | undefined, log: Log): Promise<void> {
  await work
    ?.reconcile()
    .catch((error) => log.debug({ err: error }, 'could not compare with the ledger; trying later'))
}
