import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, type TestContext } from 'node:test'
import { type BrokerNode, brokerProgram, startBrokerNode } from './broker-node.ts'
import { makeFolder, removeFolder } from './folder.ts'

/** How many tests of a run can have a virtual host of their own. Each costs the broker some milliseconds to start. */
export const vhostNames = Array.from({ length: 60 }, (_, i) => `test-${i}`)

/**
 * Why tests cannot have a RabbitMQ here, or false when they can. For the `skip` of a test, so that the run counts
 * it and says why.
 */
export const noBroker: string | false =
  process.env.TEST_AMQP_MISSING ?? (isPossible() ? false : 'no RabbitMQ here')

/** The same for a test that kills its broker, and needs one on this machine for that. */
export const noOwnBroker: string | false = brokerProgram() ? false : 'no rabbitmq-server on this machine'

/**
 * A RabbitMQ for this test. With one that the tests have brought themselves it is an empty virtual host of its
 * own; with a given `AMQP_URL` it is shared, so use queue names that nobody else uses.
 */
export async function testBroker(): Promise<{ url: string }> {
  const { TEST_AMQP_URL: shared, TEST_AMQP_VHOSTS: register } = process.env
  if (shared === undefined)
    return { url: (await nodeOfThisFile()).url(takeVhost(await registerOfThisFile())) }
  if (register === undefined) return { url: shared }
  const url = new URL(shared)
  url.pathname = `/${takeVhost(register)}`
  return { url: url.href }
}

/** A node of this test's own, which it may kill and start. Takes 5 to 45 seconds to come up. */
export async function ownBroker(t: TestContext) {
  const folder = makeFolder('rabbitmq')
  const node = await startBrokerNode(folder, ['/'])
  t.after(async () => {
    await node.stop()
    removeFolder(folder)
  })
  return { url: node.url(), keeps: node.keeps, kill: node.kill, start: node.start }
}

function isPossible(): boolean {
  return process.env.TEST_AMQP_URL !== undefined || brokerProgram() !== undefined
}

/** Making a folder succeeds for one of all processes that try: that one has the virtual host. */
function takeVhost(register: string): string {
  for (const name of vhostNames) {
    try {
      mkdirSync(join(register, name))
      return name
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
  }
  throw new Error(`all ${vhostNames.length} virtual hosts are taken: raise the number`)
}

let node: Promise<{ node: BrokerNode; folder: string; register: string }> | undefined
after(async () => {
  if (node === undefined) return
  const started = await node
  await started.node.stop()
  removeFolder(started.folder)
})

function startedNode() {
  node ??= startNode()
  return node
}

async function startNode() {
  const folder = makeFolder('rabbitmq')
  const register = join(folder, 'taken')
  mkdirSync(register)
  return { folder, register, node: await startBrokerNode(folder, vhostNames) }
}

async function nodeOfThisFile(): Promise<BrokerNode> {
  return (await startedNode()).node
}

async function registerOfThisFile(): Promise<string> {
  return (await startedNode()).register
}
