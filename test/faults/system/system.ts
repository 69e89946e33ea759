import { randomInt } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { leaseMs } from '../../../src/usecases/housekeep.ts'
import { listens } from '../../support/ports.ts'
import type { System, Transport } from '../trial/fault.ts'
import { openBrokerServer } from './broker.ts'
import { openDatabaseServer } from './database.ts'
import { type RigLine, writeLine } from './ledger.ts'
import { clockEnvironment } from './machine-clock.ts'
import { type MemberSpec, member } from './members.ts'

/** Who undoes what was set up, last first. What starts something says here how it ends. */
export type Cleanups = { after(undo: () => unknown): void }

/** The three ledgers of a run. */
export type Ledgers = { client: string; handlers: string; rig: string }

export function cleanups(): Cleanups & { run(): Promise<void> } {
  const undos: (() => unknown)[] = []
  return {
    after: (undo) => void undos.push(undo),
    async run() {
      for (const undo of undos.splice(0).reverse()) await undo()
    },
  }
}

function openLedgers(folder: string): Ledgers {
  const file = (name: string) => join(folder, `${name}.jsonl`)
  const ledgers = { client: file('client'), handlers: file('handlers'), rig: file('rig') }
  for (const path of Object.values(ledgers)) writeFileSync(path, '')
  return ledgers
}

export type SystemOptions = {
  transport: Transport
  /** Empty, and reachable for every account of this machine. */
  folder: string
  apis?: number
  workers?: number
  /** Environment variables of the members, in place of the usual ones. */
  settings?: Record<string, string>
  /** Members reach PostgreSQL past the links, which take time of this process. */
  isDirect?: boolean
}

/** A system without who submits to it, and what is written down of it. */
export type Deployment = Omit<System, 'submit' | 'cancel' | 'retry'> & { ledgers: Ledgers }

/**
 * Brings up servers of its own and real processes that reach them through links; resolves when all of them are ready.
 * Handlers, and what happens to the processes, are written into its ledgers, in `folder`.
 */
export async function deploy(
  undo: Cleanups,
  { transport, folder, apis = 2, workers = 2, settings: more = {}, isDirect = false }: SystemOptions,
): Promise<Deployment> {
  const ledgers = openLedgers(folder)
  const [database, broker] = await Promise.all([
    openDatabaseServer(undo, folder),
    transport === 'rabbitmq' ? openBrokerServer(undo, folder) : undefined,
  ])
  /** Doors of their own, so that faults of links can concern one member alone. */
  const settingsOf = async (name: string) => ({
    ...memberSettings(ledgers),
    DATABASE_URL: isDirect ? database.url : await database.link.door(name),
    ...(broker ? { AMQP_URL: await broker.link.door(name) } : {}),
    ...more,
  })
  const record = (line: RigLine) => writeLine(ledgers.rig, line)
  const open = async (role: MemberSpec['role'], number: number) => {
    const name = `${role}-${number}`
    const port = role === 'api' ? await lastingPort() : 0
    const env = { ...(await settingsOf(name)), FAULTS_MEMBER: name, PORT: String(port) }
    const logFile = join(folder, `${name}.log`)
    const url = role === 'api' ? `http://127.0.0.1:${port}` : ''
    return member(undo, { name, role, url, env, logFile, record })
  }
  const members = {
    apis: await Promise.all(numbers(apis).map((number) => open('api', number))),
    workers: await Promise.all(numbers(workers).map((number) => open('worker', number))),
  }
  await Promise.all([...members.apis, ...members.workers].map((one) => one.start()))
  return { transport, ...members, database, broker, leaseMs, ledgers }
}

/**
 * A port that is still free when a process that had it starts again: below those that the system takes for outgoing
 * connections, of which there are many here.
 */
async function lastingPort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000)
    if (!(await listens(port))) return port
  }
}

/** Memory is scarce so that a handler that eats it up does not take the machine along. */
const memoryMb = 256
const crashHook = pathToFileURL(join(import.meta.dirname, '../crash/hook.ts')).href

/** They load the same modules a few hundred times. */
const compileCache = join(import.meta.dirname, '../../../node_modules/.cache/millrace')

function memberSettings(ledgers: Ledgers): Record<string, string> {
  const { PATH = '', HOME = '' } = process.env
  return {
    PATH,
    HOME,
    NODE_COMPILE_CACHE: compileCache,
    NODE_OPTIONS: `--max-old-space-size=${memoryMb} --import=${crashHook}`,
    WEBHOOK_ALLOW_PRIVATE: 'true',
    LOG_FORMAT: 'json',
    LOG_LEVEL: 'info',
    SHUTDOWN_GRACE_MS: '5000',
    TASKS: join(import.meta.dirname, '../tasks.ts'),
    FAULTS_LEDGER: ledgers.handlers,
    ...clockEnvironment,
  }
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1)
}
