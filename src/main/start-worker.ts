import { fileURLToPath } from 'node:url'
import { readConfig } from '../runtime/config.ts'
import { createLog } from '../runtime/log.ts'
import { type Service, stopAll } from '../runtime/service.ts'
import { databaseUrlOf } from './database.ts'
import { startWorkerServices } from './worker.ts'

export type WorkerOptions = {
  /** The module or folder with the handlers, as a path or file URL: a suspect's process loads it again. */
  tasks?: string | URL
  databaseUrl?: string
  /** RabbitMQ; several are nodes of one cluster. */
  amqpUrl?: string
  queues?: readonly string[]
  /** Tasks that run at once. */
  concurrency?: number
  /** How long `stop` waits for running tasks before it hands them back. */
  shutdownGraceMs?: number
}

/** The public `startWorker`, whose promises stand in `src/index.ts`. */
export async function startWorker(options: WorkerOptions): Promise<Service> {
  const config = readConfig({ ...process.env, ...environmentOf(options) })
  const log = createLog({ level: config.logLevel, format: config.logFormat, name: 'worker' })
  const report = (line: string) => log.warn(line)
  const database = await databaseUrlOf(config, report)
  const services: Service[] = [{ name: 'embedded PostgreSQL', stop: database.stop }]
  await startWorkerServices(config, database.url, { log, services })
  return { name: 'worker', stop: () => stopAll(services.splice(0), report) }
}

function environmentOf({ tasks, databaseUrl, amqpUrl, queues, concurrency, shutdownGraceMs }: WorkerOptions) {
  const settings = {
    TASKS: tasks instanceof URL ? fileURLToPath(tasks) : tasks,
    DATABASE_URL: databaseUrl,
    AMQP_URL: amqpUrl,
    QUEUES: queues?.join(','),
    CONCURRENCY: concurrency?.toString(),
    SHUTDOWN_GRACE_MS: shutdownGraceMs?.toString(),
  }
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
}
