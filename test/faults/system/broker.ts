import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { startBrokerNode } from '../../support/broker-node.ts'
import type { BrokerServer } from '../trial/fault.ts'
import { openLink } from './link.ts'
import type { Cleanups } from './system.ts'

/** A RabbitMQ node of the run's own behind a link, in `folder`. */
export async function openBrokerServer(cleanups: Cleanups, folder: string): Promise<BrokerServer> {
  const dir = join(folder, 'rabbitmq')
  mkdirSync(dir)
  const node = await startBrokerNode(dir, ['/'])
  cleanups.after(() => node.stop())
  const link = await openLink(node.url())
  cleanups.after(() => link.close())
  return {
    url: node.url(),
    link,
    kill: node.kill,
    start: node.start,
    control: node.control,
    keeps: node.keeps,
  }
}
