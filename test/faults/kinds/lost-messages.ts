import { noOwnBroker } from '../../support/rabbitmq.ts'
import { until } from '../../support/until.ts'
import { forEachQueue, operate, repeatMessages } from '../system/broker-operator.ts'
import type { BrokerServer, Fault, System } from '../trial/fault.ts'

const deadlineMs = 60_000

/** Messages are lost in the broker while nobody takes them, or come again while their tasks run. */
export const faults: Fault[] = [
  withoutWorkers('RabbitMQ queues purged while no worker runs', async (system, broker) => {
    await untilSubmitted(system, 20)
    await forEachQueue(broker, (queue) => operate(broker, (channel) => channel.purgeQueue(queue)))
  }),
  withoutWorkers('RabbitMQ queues deleted while no worker runs', async (system, broker) => {
    await forEachQueue(broker, (queue) => operate(broker, (channel) => channel.deleteQueue(queue)))
    await untilSubmitted(system, 20)
  }),
  {
    kind: 'all workers kill -9 after everything was delivered three times',
    transports: ['rabbitmq'],
    effects: ['exits', 'restarts'],
    part: 'kinds/rabbitmq.ts',
    missing: () => noOwnBroker || undefined,
    async strike(system) {
      const { workers, broker } = system
      if (!broker) throw new Error('the system has no broker')
      await repeatMessages(broker, () => untilManyRun(system, 40))
      const ended = workers.map((worker) => worker.ended())
      for (const worker of workers) worker.kill('SIGKILL')
      await Promise.all(ended)
      await Promise.all(workers.map((worker) => worker.start()))
      return { members: workers }
    },
  },
]

/** Submits slow tasks, and waits until half of them run. */
async function untilManyRun({ submit, database }: System, count: number): Promise<void> {
  const ids = await submit(Array.from({ length: count }, () => ({ type: 'slow', payload: { ms: 4_000 } })))
  const run = async () => {
    const rows = await database.query<{ n: number }>(
      `select count(*)::int as n from millrace.tasks where id = any ($1) and status <> 'pending'`,
      [ids],
    )
    return (rows[0]?.n ?? 0) >= count / 2
  }
  await until(run, { deadlineMs, what: `${count / 2} slow tasks run` })
}

function withoutWorkers(kind: string, lose: (system: System, broker: BrokerServer) => Promise<void>): Fault {
  return {
    kind,
    transports: ['rabbitmq'],
    effects: ['exits', 'restarts'],
    part: 'kinds/rabbitmq.ts',
    missing: () => noOwnBroker || undefined,
    async strike(system) {
      const { workers, broker } = system
      if (!broker) throw new Error(`${kind}: the system has no broker`)
      await Promise.all(workers.map((worker) => worker.stop()))
      try {
        await lose(system, broker)
      } finally {
        await Promise.all(workers.map((worker) => worker.start()))
      }
      return { members: workers }
    },
  }
}

/** More than were there before. They need not wait: another fault may have started a worker again. */
async function untilSubmitted({ database: { query } }: System, count: number): Promise<void> {
  const submitted = async () => {
    const rows = await query<{ n: number }>('select count(*)::int as n from millrace.tasks')
    return rows[0]?.n ?? 0
  }
  const before = await submitted()
  const isSo = async () => (await submitted()) >= before + count
  await until(isSo, { deadlineMs, what: `${count} tasks more are submitted` })
}
