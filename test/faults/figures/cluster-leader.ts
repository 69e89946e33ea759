import { setTimeout as sleep } from 'node:timers/promises'
import { type RabbitPublisher, rabbitPublisher } from '../../../src/broker/rabbitmq-publisher.ts'
import { createLog } from '../../../src/runtime/log.ts'
import type { BrokerNode } from '../../support/broker-node.ts'
import { noOwnBroker } from '../../support/rabbitmq.ts'
import { until } from '../../support/until.ts'
import type { Figure } from '../measure/figure.ts'
import { type Stand, submitEvery, withStand } from '../measure/stand.ts'
import { defaultQueues } from '../system/broker-operator.ts'
import { type Cluster, openCluster } from '../system/cluster.ts'
import { nowMs } from '../system/machine-clock.ts'
import type { Cleanups } from '../system/system.ts'
import { verdictOf } from '../trial/judge.ts'
import { seeded } from '../trial/random.ts'

const pauseAtMostMs = 2_000
const rounds = 5
const submitEveryMs = 20
const aroundMs = 3_000
const [, queue = ''] = defaultQueues

/** Each round kills the leader of the queue; the last one two nodes of three. All are started again. */
export const figure: Figure = {
  name: 'cluster-leader',
  goal: `leader of a queue in a cluster of three killed: nothing lost, confirms pause at most ${pauseAtMostMs} ms; two of three killed: nothing lost`,
  missing: () => noOwnBroker || undefined,
  async measure({ scale, seed, say }) {
    const random = seeded(seed)
    let cluster: Cluster | undefined
    const prepare = async (undo: Cleanups, folder: string) => {
      cluster = await openCluster(undo, folder)
      return { AMQP_URL: cluster.url }
    }
    // A transport without a broker of its own: the cluster is it.
    const options = { name: 'cluster', seed, transport: 'postgresql', isDirect: false, prepare } as const
    return withStand(options, async (stand) => {
      if (!cluster) throw new Error('there is no cluster')
      const load = submitEvery(stand.client, submitEveryMs)
      const pauses: number[] = []
      try {
        for (let i = 0; i < Math.max(1, Math.round(rounds * scale)); i++) {
          const ms = await killLeader(cluster, random.pick(cluster.nodes))
          say(`leader killed: confirms paused for ${Math.round(ms)} ms`)
          pauses.push(ms)
        }
        const survivor = random.pick(cluster.nodes)
        await killAllBut(cluster, survivor)
        say('two of three were killed and started again')
        await submittedAfter(stand, nowMs())
      } finally {
        await load.stop()
      }
      const { violations, figures } = await verdictOf(stand, 120_000)
      const worst = Math.max(...pauses)
      return {
        met: worst <= pauseAtMostMs && violations.length === 0,
        text: `leader killed ${pauses.length} times: confirms paused at most ${Math.round(worst)} ms; two of three killed once; ${figures.tasks} tasks, ${figures.lost} lost, ${violations.length} violations`,
        values: { pausesMs: pauses, tasks: figures.tasks, lost: figures.lost, violations: violations.length },
      }
    })
  },
}

/** Answers for how long the broker confirmed nothing to somebody who sends without a pause. */
async function killLeader(cluster: Cluster, asked: BrokerNode): Promise<number> {
  await untilWhole(cluster, asked)
  const leader = await cluster.leaderOf(queue, asked)
  const confirms = await watchConfirms(cluster)
  await sleep(aroundMs)
  await leader.kill()
  await sleep(aroundMs)
  await until(() => confirms.lastAt() > nowMs() - 500, { deadlineMs: 60_000, what: 'confirms' })
  const ms = await confirms.stop()
  await leader.start()
  return ms
}

async function killAllBut(cluster: Cluster, survivor: BrokerNode): Promise<void> {
  await untilWhole(cluster, survivor)
  const { nodes } = cluster
  const others = nodes.filter((node) => node !== survivor)
  await Promise.all(others.map((node) => node.kill()))
  await sleep(aroundMs)
  await Promise.all(others.map((node) => node.start()))
}

/**
 * Three copies of the queue, so that one may go: a node that is killed before the name of the queue is on its disk
 * comes back without its copy, and one that has just started is there before its copy is.
 */
async function untilWhole(cluster: Cluster, asked: BrokerNode): Promise<void> {
  const isWhole = async () =>
    cluster.nodes.every((node) => node.keeps([queue])) && (await cluster.isWhole(queue, asked))
  await until(isWhole, { deadlineMs: 60_000, what: 'three copies of the queue' })
}

/** Sends, as Millrace does, packets that are in no ledger: whoever receives one finds nothing to do. */
async function watchConfirms({ url }: Cluster) {
  const log = createLog({ level: 'silent', format: 'json', name: 'confirms' })
  const publisher = rabbitPublisher({ urls: url.split(','), log })
  await until(publisher.connected, { what: 'a connection to the cluster' })
  const stopping = new AbortController()
  const seen = { lastAt: nowMs(), longestMs: 0 }
  const watching = watch()
  return {
    lastAt: () => seen.lastAt,
    async stop() {
      stopping.abort()
      await watching
      await publisher.stop()
      return seen.longestMs
    },
  }

  async function watch() {
    while (!stopping.signal.aborted) {
      if (!(await isConfirmed(publisher))) continue
      const now = nowMs()
      seen.longestMs = Math.max(seen.longestMs, now - seen.lastAt)
      seen.lastAt = now
    }
  }
}

const inNoLedger = Number.MAX_SAFE_INTEGER

async function isConfirmed({ publish }: RabbitPublisher): Promise<boolean> {
  const packet = { id: inNoLedger, queue: 'default', priority: 'normal' } as const
  const sent = await publish([packet]).catch(() => [])
  await sleep(5)
  return sent.length > 0
}

/** Waits until something that was submitted after `at` has run. */
async function submittedAfter({ database }: Stand, at: number): Promise<void> {
  const finished = `select from millrace.tasks where status = 'completed' and created_at > to_timestamp($1) limit 1`
  await until(async () => (await database.query(finished, [at / 1000])).length > 0, {
    deadlineMs: 60_000,
    what: 'tasks run after two of three nodes were killed',
  })
}
