import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Brought } from './bring-database.ts'
import { brokerProgram, startBrokerNode } from './broker-node.ts'
import { dockerBroker, dockerEngineAnswers } from './docker-broker.ts'
import { makeFolder, removeFolder } from './folder.ts'
import { vhostNames } from './rabbitmq.ts'

/**
 * A RabbitMQ for the run: the one in `AMQP_URL`, one that is installed and started privately, one in Docker, or
 * one that is installed first, which takes Debian and root. `missing` says why there is none.
 */
export async function bringBroker(say: (line: string) => void): Promise<Brought & { missing?: string }> {
  const given = process.env.AMQP_URL?.split(',')[0]
  if (given) {
    say('RabbitMQ: the one in AMQP_URL')
    return { env: { TEST_AMQP_URL: given }, stop: async () => {} }
  }
  if (brokerProgram()) return privateNode(say)
  if (dockerEngineAnswers()) return dockerBroker(say)
  if (isDebianAsRoot()) {
    say('RabbitMQ: installing rabbitmq-server with apt-get')
    if (installBroker()) return privateNode(say)
  }
  const missing =
    'install rabbitmq-server, start Docker, or set AMQP_URL to a RabbitMQ that may be written to'
  return { missing, env: { TEST_AMQP_MISSING: missing }, stop: async () => {} }
}

async function privateNode(say: (line: string) => void): Promise<Brought> {
  const folder = makeFolder('rabbitmq')
  const register = join(folder, 'taken')
  mkdirSync(register)
  const node = await startBrokerNode(folder, vhostNames)
  say(`RabbitMQ: a private node, in ${folder}`)
  return {
    env: { TEST_AMQP_URL: node.url(), TEST_AMQP_VHOSTS: register },
    stop: async () => {
      await node.stop()
      removeFolder(folder)
    },
  }
}

function isDebianAsRoot(): boolean {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version')
}

function installBroker(): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  const install = ['install', '-y', '--no-install-recommends', 'rabbitmq-server']
  return [['update'], install].every(
    (args) => spawnSync('apt-get', ['-q', ...args], { env, stdio: ['ignore', 2, 2] }).status === 0,
  )
}
