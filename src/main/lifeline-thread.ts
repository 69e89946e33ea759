import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import pg from 'pg'
import { clientConfig } from '../storage/connection.ts'
import { attemptsIn, channels, noticeOfSql } from '../storage/notices.ts'
import { announceText, leaveText, releaseText, workerLock } from '../storage/workers.ts'
import type { LifelineData, LifelineMessage } from './lifeline.ts'

// A thread, so that a handler that blocks the event loop of the worker is not taken for a dead worker.
const { databaseUrl, worker, shared } = workerData as LifelineData
const port = parentPort!
const stopping = new AbortController()

const heartbeatMs = 4_000
const longestWaitMs = 1_000
/** An event loop that has not turned for this long never will: the process ends, and is recovered as a crash. */
const stuckMs = 120_000

port.once('message', () => stopping.abort())
void watchMainThread()
await live()
process.exit(0) // ends this thread only

/** Holds the lock and beats until told to stop; comes back as soon as the database does. */
async function live(): Promise<void> {
  let waitMs = 50
  while (!stopping.signal.aborted) {
    const client = new pg.Client(
      clientConfig(databaseUrl, { statementTimeoutMs: heartbeatMs, plans: 'looks' }),
    )
    try {
      await beat(client, () => {
        waitMs = 50
      })
    } catch (error) {
      tell({ kind: 'lost', reason: error instanceof Error ? error.message : String(error) })
      await sleep(waitMs)
      waitMs = Math.min(longestWaitMs, waitMs * 2)
    } finally {
      void client.end().catch(() => {})
    }
  }
}

async function beat(client: pg.Client, onAlive: () => void): Promise<void> {
  const broken = Promise.withResolvers<never>()
  broken.promise.catch(() => {})
  client.on('error', broken.reject)
  client.on('end', () => broken.reject(new Error('the connection was closed')))
  client.on('notification', hear)
  await client.connect()
  await client.query(releaseText, [worker.id])
  await client.query(`select pg_advisory_lock(${workerLock})`, [worker.id])
  await announce(client)
  await client.query(`listen ${channels.packets}; listen ${channels.canceled}; listen ${channels.queues}`)
  onAlive()
  tell({ kind: 'alive' })
  while (!stopping.signal.aborted) {
    await Promise.race([
      broken.promise,
      sleep(heartbeatMs, undefined, { signal: stopping.signal }).catch(() => {}),
    ])
    if (!stopping.signal.aborted) await announce(client)
  }
  await client.query(leaveText, [worker.id])
}

async function announce(client: pg.Client): Promise<void> {
  const { id, host, pid, version, queues, types, concurrency } = worker
  const running = Atomics.load(shared, 0)
  await client.query(announceText, [id, host, pid, version, queues, types, concurrency, running])
}

function hear({ channel, payload }: pg.Notification): void {
  if (channel === channels.packets) tell({ kind: 'packets', more: payload === noticeOfSql })
  if (channel === channels.queues) tell({ kind: 'queues' })
  if (channel === channels.canceled) tell({ kind: 'canceled', attempts: attemptsIn(payload ?? '') })
}

/** The main thread counts its turns; when the count stands still, its event loop does. */
async function watchMainThread(): Promise<void> {
  let turns = -1
  let turnedAtMs = performance.now()
  while (!stopping.signal.aborted) {
    await sleep(1_000, undefined, { signal: stopping.signal }).catch(() => {})
    const now = Atomics.load(shared, 1)
    if (now !== turns) turnedAtMs = performance.now()
    turns = now
    if (performance.now() - turnedAtMs > stuckMs) process.kill(process.pid, 'SIGKILL')
  }
}

function tell(message: LifelineMessage): void {
  port.postMessage(message)
}
