import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type BrokerNode, startMember, startRegister } from '../../support/broker-node.ts'
import type { Cleanups } from './system.ts'

/** Three nodes of RabbitMQ on this machine that are one broker. */
export type Cluster = {
  nodes: readonly BrokerNode[]
  /** As `AMQP_URL` takes it. */
  url: string
  /** The node that leads a queue; a node that runs is asked. */
  leaderOf(queue: string, asked: BrokerNode): Promise<BrokerNode>
  /** Whether the copies of a queue on all nodes take part; a node that has just started may be there before its copy. */
  isWhole(queue: string, asked: BrokerNode): Promise<boolean>
}

const size = 3

/** Takes some 20 s. The first node is there before the others join it. */
export async function openCluster(cleanups: Cleanups, folder: string): Promise<Cluster> {
  const register = await startRegister()
  cleanups.after(register.stop)
  const first = await open(1)
  const others = await Promise.all(Array.from({ length: size - 1 }, (_, i) => open(i + 2, first.name)))
  const nodes = [first, ...others]
  return { nodes, url: nodes.map((node) => node.url()).join(','), leaderOf, isWhole }

  async function open(number: number, joins?: string): Promise<BrokerNode> {
    const dir = join(folder, `rabbitmq-${number}`)
    mkdirSync(dir)
    const membership = { epmd: register.port, ...(joins === undefined ? {} : { joins }) }
    const node = await startMember(dir, ['/'], membership)
    cleanups.after(node.stop)
    return node
  }

  async function leaderOf(queue: string, asked: BrokerNode): Promise<BrokerNode> {
    const leader = await itemOf(queue, 'leader', asked)
    const node = nodes.find(({ name }) => name === leader)
    if (node === undefined) throw new Error(`${queue} has no leader but ${leader}`)
    return node
  }

  async function isWhole(queue: string, asked: BrokerNode): Promise<boolean> {
    const online = await itemOf(queue, 'online', asked)
    return nodes.every(({ name }) => online.includes(name))
  }
}

/** What `rabbitmqctl list_queues` says of a queue. */
async function itemOf(queue: string, item: 'leader' | 'online', asked: BrokerNode): Promise<string> {
  const listed = await asked.control(['list_queues', 'name', item, '--no-table-headers'])
  const lines = listed.split('\n').map((line) => line.split('\t'))
  return lines.find(([name]) => name === queue)?.[1] ?? ''
}
