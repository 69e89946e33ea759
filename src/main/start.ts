import { hostname } from 'node:os'
import { relative } from 'node:path'
import { CommandFailure, exitCode } from '../cli/exit-code.ts'
import { startEmbedded } from '../embedded/index.ts'
import type { Config } from '../runtime/config.ts'
import { isAlive } from '../runtime/is-alive.ts'
import { reasonOf } from '../runtime/reason.ts'
import { runUntilSignal, type Service, stopAll, stopRequest } from '../runtime/service.ts'
import { withoutPassword } from '../runtime/settings.ts'
import { buryLocalWorkers } from '../storage/workers.ts'
import { bringDashboard } from './dashboard.ts'
import { environmentOf } from './environment.ts'
import { migrate } from './migrate.ts'
import { choosePort } from './port.ts'
import { type Supervised, supervise } from './supervise.ts'
import { version } from './version.ts'
import { welcome } from './welcome.ts'

/** Everything, running: database, api and worker. */
type System = {
  /** Where the API answers. */
  url: string
  stop(): Promise<void>
}

type Report = (line: string) => void

/** What a stop may take beyond the tasks' grace period: handing back, answering, a last checkpoint. */
const stopMarginMs = 10_000

/** What `millrace start` does: runs everything until it is told to stop; resolves when all of it has ended. */
export async function start(config: Config): Promise<void> {
  const report = (line: string) => process.stderr.write(`${line}\n`)
  const beganAtMs = performance.now()
  report(`Millrace ${version}`)
  const request = stopRequest()
  const system = await startUnlessStopped(config, report, request)
  if (system === undefined) return
  report(`Ready in ${seconds(performance.now() - beganAtMs)}\n`)
  process.stdout.write(welcome(config, system.url))
  process.send?.({ type: 'ready', url: system.url })
  const deadlineMs = config.shutdownGraceMs + 3 * stopMarginMs
  const tasks = `running tasks have ${seconds(config.shutdownGraceMs)} to finish (Ctrl-C again: exit at once)`
  const reportStop = (line: string) => report(line.startsWith('stopping') ? `\n${line}; ${tasks}` : line)
  await runUntilSignal([{ name: 'Millrace', stop: system.stop }], { deadlineMs, report: reportStop }, request)
  report('stopped')
}

async function startUnlessStopped(
  config: Config,
  report: Report,
  request: Promise<string>,
): Promise<System | undefined> {
  const stopped = new AbortController()
  void request.then(() => stopped.abort())
  try {
    return await startSystem(config, { report, signal: stopped.signal })
  } catch (error) {
    if (!stopped.signal.aborted) throw error
    report('stopped before it was ready')
    return undefined
  }
}

/**
 * Brings everything up, each step reported with its time. Fails with EmbeddedError or CommandFailure, a sentence
 * for people, or with the reason of `signal`, and then leaves nothing running.
 */
async function startSystem(
  config: Config,
  { report, signal }: { report: Report; signal: AbortSignal },
): Promise<System> {
  const services: Service[] = []
  const stop = () => stopAll(services.splice(0), report)
  // Beside the rest: it changes nothing about whether the system runs.
  const page = step('dashboard', report, async () => [undefined, await bringDashboard()])
  try {
    const databaseUrl = await startDatabase(config, { services, report })
    signal.throwIfAborted()
    await step('database', report, () => migrated(databaseUrl, config))
    // Who shares a server of its own with nobody knows that workers of processes that are gone are gone.
    if (config.databaseUrl === undefined) await buryLocalWorkers(databaseUrl, { host: hostname(), isAlive })
    signal.throwIfAborted()
    const url = await startProcesses({ ...config, databaseUrl }, { services, report, signal })
    await page
    return { url, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

type Progress = { services: Service[]; report: Report }

async function startDatabase(
  { databaseUrl, dataDir }: Config,
  { services, report }: Progress,
): Promise<string> {
  if (databaseUrl !== undefined) return databaseUrl
  return step('PostgreSQL', report, async () => {
    const server = await startEmbedded({ dataDir, report })
    services.push({ name: 'PostgreSQL', stop: server.stop })
    const place = relative(process.cwd(), dataDir)
    const detail = `${server.version.replace(/-.*/, '')}, its data in ${place.startsWith('..') ? dataDir : place}`
    return [server.url, server.adopted ? `${detail}, was still running` : detail]
  })
}

async function migrated(databaseUrl: string, config: Config): Promise<[undefined, string]> {
  try {
    const applied = await migrate(databaseUrl, { retentionDays: config.retentionDays })
    return [undefined, applied.length === 0 ? 'up to date' : `applied ${applied.join(', ')}`]
  } catch (error) {
    if (config.databaseUrl === undefined) throw error
    throw new CommandFailure(
      `the database at ${withoutPassword(databaseUrl)} cannot be used (${reasonOf(error)}): start it, or correct DATABASE_URL`,
      exitCode.cannotConnect,
      error,
    )
  }
}

/** Starts the api and the worker beside each other. Answers the API's address. */
async function startProcesses(
  config: Config,
  { services, report, signal }: Progress & { signal: AbortSignal },
): Promise<string> {
  const { port, takenBy } = await choosePort(config.host, config.port)
  if (takenBy) report(`  port ${config.port} is taken by ${takenBy}: taking ${port || 'any other'} instead`)
  const spec = {
    env: environmentOf({ ...config, port }),
    stopWithinMs: config.shutdownGraceMs + stopMarginMs,
    report,
    signal,
  }
  const [api, worker] = await Promise.allSettled([
    step('api', report, async () => {
      const child = await supervise({ ...spec, command: 'api' })
      return [child, child.url ?? '']
    }),
    step('worker', report, async () => {
      const child = await supervise({ ...spec, command: 'worker' })
      return [child, `up to ${config.concurrency.toLocaleString('en-US')} tasks at once`]
    }),
  ])
  // The worker is stopped first, while the API can still tell how its tasks end.
  for (const outcome of [api, worker]) if (outcome.status === 'fulfilled') services.push(outcome.value)
  childOf(worker)
  return childOf(api).url ?? ''
}

/** Does one step of the start and reports it with its time. The step answers its value and a detail to show. */
async function step<Value>(
  name: string,
  report: Report,
  act: () => Promise<[Value, string]>,
): Promise<Value> {
  const beganAtMs = performance.now()
  const [value, detail] = await act()
  report(`  ${name.padEnd(10)} ${seconds(performance.now() - beganAtMs).padStart(6)}  ${detail}`)
  return value
}

function childOf(outcome: PromiseSettledResult<Supervised>): Supervised {
  if (outcome.status === 'rejected') throw outcome.reason
  return outcome.value
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
