import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { brokerProgram } from '../../test/support/broker-node.ts'
import type { Contestant } from '../contestant.ts'
import { childrenOf, openPostgres, openRabbit, peersFolder } from '../servers.ts'
import { enterByItself } from './by-itself.ts'

const program = join(peersFolder, 'celery_app.py')
const packages = ['celery', 'gevent', 'psycopg2', 'sqlalchemy']

/** With RabbitMQ, and results in PostgreSQL, since what is compared keeps them as durably. */
export const celery: Contestant = {
  name: 'Celery',
  about:
    'RabbitMQ with confirmed publishing and late acknowledgment, no batches; keeps results in PostgreSQL, not tasks, at a commit each',
  workloads: ['drain', 'batch-100', 'single', 'latency', 'wait-1000', 'recovery'],
  share: 0.1,
  missing() {
    if (!python()) return `install ${packages.map((name) => `python3-${name}`).join(' ')}`
    return brokerProgram() ? undefined : 'install rabbitmq-server'
  },
  async open(folder) {
    const broker = await openRabbit(folder)
    const server = await openPostgres(folder)
    const options = { args: [broker.url, server.url], part: 'PostgreSQL', server, execPath: python()! }
    const entry = await enterByItself(program, options)
    return {
      ...entry,
      pids() {
        const { worker = [], ...others } = entry.pids()
        return {
          ...others,
          worker: worker.flatMap((pid) => [pid, ...childrenOf(pid)]),
          RabbitMQ: broker.pids(),
        }
      },
      async close() {
        await entry.close()
        await broker.stop()
      },
    }
  },
}

/** A Python that has all it takes: Debian's packages are for Debian's own only. */
function python(): string | undefined {
  const has = (name: string) => spawnSync(name, ['-c', `import ${packages.join()}`]).status === 0
  return ['python3', '/usr/bin/python3'].find(has)
}
