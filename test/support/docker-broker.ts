import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Brought } from './bring-database.ts'
import { brokerPassword, brokerUser, definitions } from './broker-node.ts'
import { makeFolder, removeFolder } from './folder.ts'
import { vhostNames } from './rabbitmq.ts'

const image = 'rabbitmq:4'
const readyWithinMs = 120_000

export function dockerEngineAnswers(): boolean {
  return spawnSync('docker', ['info'], { stdio: 'ignore', timeout: 10_000 }).status === 0
}

/** RabbitMQ in a container that goes when it is stopped. */
export async function dockerBroker(say: (line: string) => void): Promise<Brought> {
  const folder = makeFolder('rabbitmq')
  const register = join(folder, 'taken')
  mkdirSync(register)
  writeFileSync(join(folder, 'definitions.json'), definitions(vhostNames))
  const container = docker('run', '--rm', '--detach', '--publish', '127.0.0.1::5672', image)
  const stop = async () => {
    docker('kill', container)
    removeFolder(folder)
  }
  // A container is no child of ours: it would stay after a Ctrl-C.
  process.once('exit', () => spawnSync('docker', ['kill', container], { stdio: 'ignore' }))
  docker('exec', container, 'rabbitmqctl', 'await_startup', '--timeout', String(readyWithinMs / 1000))
  docker('cp', join(folder, 'definitions.json'), `${container}:/tmp/definitions.json`)
  docker('exec', container, 'rabbitmqctl', 'import_definitions', '/tmp/definitions.json')
  const address = docker('port', container, '5672').split('\n')[0]
  say(`RabbitMQ: ${image} in Docker`)
  return {
    env: {
      TEST_AMQP_URL: `amqp://${brokerUser}:${brokerPassword}@${address}/`,
      TEST_AMQP_VHOSTS: register,
    },
    stop,
  }
}

function docker(...args: string[]): string {
  const run = spawnSync('docker', args, { encoding: 'utf8' })
  if (run.status === 0) return run.stdout.trim()
  throw new Error(`docker ${args.join(' ')}: ${run.error?.message ?? run.stderr}`)
}
