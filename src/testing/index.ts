import type { AddressInfo } from 'node:net'
import { buildApi } from '../api/index.ts'
import { createClient, type Millrace, type Task, type TaskHandle } from '../client/index.ts'
import { packetLimit } from '../domain/packet.ts'
import { useCasesOf } from '../main/api.ts'
import { type Node, openNode, sleep } from '../main/node.ts'
import { version } from '../main/version.ts'
import { startWorkerServices } from '../main/worker.ts'
import { type Config, readConfig } from '../runtime/config.ts'
import { createLog } from '../runtime/log.ts'
import { type Service, stopAll } from '../runtime/service.ts'
import { promote } from '../storage/schedule.ts'
import { bringDueForward, hasWorkLeft } from '../storage/test-clock.ts'
import { plannedFailures } from './failures.ts'
import { handlersOf, type Tasks } from './handlers.ts'
import { startThrowaway } from './server.ts'

export type TestingOptions = {
  tasks: Tasks
  /** What the worker consumes; `default` unless told. */
  queues?: readonly string[]
  /** Tasks that run at once; 100 unless told. */
  concurrency?: number
  /** An empty database, or one of an earlier run, in place of a PostgreSQL of the test's own. */
  databaseUrl?: string
  /** With it, webhooks are signed. They may go to this machine in any case. */
  webhookSecret?: string
  /** The least that handlers' logs write; `silent` unless told. */
  logLevel?: Config['logLevel']
}

export type Waiting = { timeoutMs?: number }

export type Testing = Millrace & {
  /** Where the API answers, for programs that are tested from outside. */
  readonly url: string
  readonly databaseUrl: string
  /** Resolves when nothing is pending, running or due. What is scheduled for later stays; see `advance`. */
  drain(options?: Waiting): Promise<void>
  /** Moves the clock for all that is scheduled now, retries included. What is due by then is pending when it resolves. */
  advance(ms: number): Promise<void>
  /** Resolves with the task when it is final, or as soon as `condition` answers something true, and with that. */
  waitFor(task: string | TaskHandle, options?: Waiting): Promise<Task>
  waitFor<Answer>(condition: () => Answer | Promise<Answer>, options?: Waiting): Promise<Answer>
  /** The next attempt of the type, or each of the next `times`, fails with that in place of running its handler. */
  failNext(type: string, error?: unknown, options?: { times?: number }): void
  /** Ends what runs, and leaves nothing behind. Safe to call twice; `await using` does it too. */
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * The whole of Millrace in this process, for tests: the API, a worker with `tasks`, and a PostgreSQL that is thrown away
 * at the end. Nothing is simulated, so a test sees what production does.
 */
export async function startTesting(options: TestingOptions): Promise<Testing> {
  const services: Service[] = []
  const stop = once(() => stopAll(services, () => {}))
  try {
    return await start(options, services, stop)
  } catch (error) {
    await stop()
    throw error
  }
}

async function start(options: TestingOptions, services: Service[], stop: () => Promise<void>) {
  const failures = plannedFailures()
  const handlers = await handlersOf(options.tasks, failures.failing)
  const databaseUrl = options.databaseUrl ?? (await startDatabase(services))
  const config = configOf(options)
  const log = createLog({ level: config.logLevel, format: config.logFormat, name: 'testing' })
  const node = await openNode(config, databaseUrl, log)
  services.push(...node.services)
  const app = await buildApi({ useCases: useCasesOf(node), apiKeys: [], log, version })
  services.push({ name: 'http', stop: () => closeNow(app) })
  await app.listen({ host: '127.0.0.1', port: 0 })
  await node.migrated
  await startWorkerServices(config, databaseUrl, { log, services, handlers })
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  const millrace = createClient({ url })
  return {
    ...millrace,
    url,
    databaseUrl,
    drain: ({ timeoutMs = 30_000 }: Waiting = {}) => drain(node, millrace, timeoutMs),
    advance: (ms: number) => advance(node, config, ms),
    waitFor: waiting(millrace),
    failNext(type: string, error: unknown = new Error('as planned by the test'), { times = 1 } = {}) {
      if (!handlers.definitions.has(type)) throw new TypeError(`no task of this test has the type ${type}`)
      failures.plan(type, Array(times).fill(error))
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

async function startDatabase(services: Service[]): Promise<string> {
  const server = await startThrowaway()
  services.push(server)
  return server.url
}

function configOf({ queues, concurrency = 100, webhookSecret, logLevel = 'silent' }: TestingOptions): Config {
  return readConfig({
    QUEUES: queues?.join(','),
    CONCURRENCY: String(concurrency),
    LOG_LEVEL: logLevel,
    SHUTDOWN_GRACE_MS: '0',
    WEBHOOK_SECRET: webhookSecret,
    WEBHOOK_ALLOW_PRIVATE: 'true',
  })
}

/** Closing waits for connections that were opened and not used, and `fetch` keeps some of those for a minute. */
async function closeNow(app: Awaited<ReturnType<typeof buildApi>>): Promise<void> {
  const closed = app.close()
  app.server.closeAllConnections()
  await closed
}

const lookEveryMs = 5

async function drain({ moves }: Node, millrace: Millrace, timeoutMs: number): Promise<void> {
  for (const startedAt = performance.now(); await hasWorkLeft(moves); await sleep(lookEveryMs)) {
    if (performance.now() - startedAt < timeoutMs) continue
    const { counts, unserved } = await millrace.stats()
    const why = unserved.length > 0 ? `; no task of this test has the type ${unserved.join(', ')}` : ''
    throw new Error(
      `after ${timeoutMs} ms ${counts.pending} tasks were pending and ${counts.processing} running${why}`,
    )
  }
}

const promotedAtOnce = 1_000

/** Housekeeping would find what is due within half a second; a test should not have to wait for it. */
async function advance({ moves, announce }: Node, { concurrency }: Config, ms: number): Promise<void> {
  if (!(ms >= 0)) throw new RangeError(`the clock moves forward only, and ${ms} ms is not forward`)
  await bringDueForward(moves, ms)
  for (let isDone = false; !isDone; ) {
    const { packets } = await promote(moves, promotedAtOnce, packetLimit(concurrency))
    announce(packets)
    isDone = packets.length === 0
  }
}

const patienceMs = 10_000

function waiting(millrace: Millrace): Testing['waitFor'] {
  return async (what: string | TaskHandle | (() => unknown), { timeoutMs = patienceMs }: Waiting = {}) => {
    if (typeof what === 'function') return untilTrue(what, timeoutMs)
    return millrace.wait(typeof what === 'string' ? what : what.id, { timeoutMs })
  }
}

/** A condition that throws is not met yet. */
// biome-ignore lint/suspicious/noExplicitAny: whatever the condition answers
async function untilTrue(condition: () => unknown, timeoutMs: number): Promise<any> {
  for (const startedAt = performance.now(); ; await sleep(lookEveryMs)) {
    let seen: unknown
    let cause: unknown
    try {
      seen = await condition()
    } catch (error) {
      cause = error
    }
    if (seen) return seen
    if (performance.now() - startedAt > timeoutMs)
      throw new Error(`the condition was not met within ${timeoutMs} ms`, { cause })
  }
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => {
    done ??= work()
    return done
  }
}
