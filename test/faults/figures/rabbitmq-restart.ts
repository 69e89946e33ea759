import { setTimeout as sleep } from 'node:timers/promises'
import { listens } from '../../support/ports.ts'
import { noOwnBroker } from '../../support/rabbitmq.ts'
import { until } from '../../support/until.ts'
import type { Figure } from '../measure/figure.ts'
import { firstStartAfter, type Stand, submitEvery, withStand } from '../measure/stand.ts'
import { defaultQueues } from '../system/broker-operator.ts'
import { type ClientLine, readLines } from '../system/ledger.ts'
import { nowMs } from '../system/machine-clock.ts'
import type { BrokerServer } from '../trial/fault.ts'
import { verdictOf } from '../trial/judge.ts'
import { percentile } from '../trial/recovery.ts'

const firstTaskWithinMs = 3_000
const mostTimesUsual = 1.5
const restarts = 20
const submitEveryMs = 20
const usualMs = 20_000
const quietMs = 2_000
const openWithinMs = 120_000

/** Half of them as an administrator does it, and half by kill -9. */
export const figure: Figure = {
  name: 'rabbitmq-restart',
  goal: `first task within ${firstTaskWithinMs} ms of RabbitMQ's port, every submission 201, their p99 at most ${mostTimesUsual} × usual`,
  missing: () => noOwnBroker || undefined,
  measure: ({ scale, seed, say }) =>
    withStand({ name: 'broker', seed, transport: 'rabbitmq', isDirect: false }, async (stand) => {
      const load = submitEvery(stand.client, submitEveryMs)
      const usual = await period(() => sleep(Math.max(5_000, usualMs * scale)))
      const times: number[] = []
      const disturbed = await period(async () => {
        for (let i = 0; i < Math.max(2, restarts * scale); i++) {
          const ms = await restart(stand, i % 2 === 0 ? 'stopped' : 'killed')
          say(`restart ${i + 1}: the first task started after ${Math.round(ms)} ms`)
          times.push(ms)
        }
      })
      await load.stop()
      const { violations } = await verdictOf(stand, 60_000)
      const lines = readLines<ClientLine>(stand.ledgers.client)
      const [before, after] = [p99(lines, usual), p99(lines, disturbed)]
      const refused = lines.filter(({ what }) => what === 'refused').length
      const worst = Math.max(...times)
      return {
        met:
          worst <= firstTaskWithinMs && refused + violations.length === 0 && after <= mostTimesUsual * before,
        text: `${times.length} restarts: first task after p50 ${Math.round(percentile(times, 0.5) ?? 0)} ms, max ${Math.round(worst)} ms; ${refused} submissions not answered 201, p99 ${after.toFixed(1)} ms against ${before.toFixed(1)} ms before; ${violations.length} violations`,
        values: {
          firstTaskMs: times,
          refused,
          p99UsualMs: before,
          p99Ms: after,
          violations: violations.length,
        },
      }
    }),
}

type Period = { from: number; to: number }

async function period(work: () => Promise<unknown>): Promise<Period> {
  const from = nowMs()
  await work()
  return { from, to: nowMs() }
}

/** Of the submissions that were sent in that time. */
function p99(lines: readonly ClientLine[], { from, to }: Period): number {
  const times = lines.flatMap((line) =>
    line.what === 'submitted' && line.sentAt >= from && line.sentAt < to ? [line.at - line.sentAt] : [],
  )
  return percentile(times, 0.99) ?? 0
}

/** Milliseconds from the moment in which RabbitMQ's port is open until the first task starts. */
async function restart(stand: Stand, how: 'stopped' | 'killed'): Promise<number> {
  const { broker } = stand
  if (!broker) throw new Error('the system has no broker')
  await until(() => broker.keeps(defaultQueues.slice(1, 2)), { what: 'the queue is on disk' })
  await (how === 'stopped' ? broker.control(['stop_app']) : broker.kill())
  await sleep(quietMs)
  const start = how === 'stopped' ? broker.control(['start_app']) : broker.start()
  const [openedAt] = await Promise.all([portOpens(broker), start])
  const first = await firstStartAfter(stand, openedAt, 30_000)
  await sleep(quietMs)
  return first - openedAt
}

async function portOpens({ url }: BrokerServer): Promise<number> {
  const port = Number(new URL(url).port)
  for (const untilMs = nowMs() + openWithinMs; nowMs() < untilMs; await sleep(5)) {
    if (await listens(port)) return nowMs()
  }
  throw new Error(`RabbitMQ's port was not open within ${openWithinMs} ms`)
}
