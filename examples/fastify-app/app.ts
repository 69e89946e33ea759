import Fastify from 'fastify'
import {
  type Millrace,
  NotFoundError,
  TaskCanceledError,
  TaskFailedError,
  TaskTimeoutError,
} from 'millrace/client'
import type { report } from './tasks.ts'

/** How long a browser is kept waiting before it is told to ask again. */
const patienceMs = 1_000

/**
 * A web application that submits and waits: a report that is made soon comes with the answer; one that takes longer is a
 * 202 and an address to look at, and goes on whatever becomes of this process.
 */
export function buildApp(millrace: Millrace) {
  const app = Fastify()

  app.post<{ Params: { month: string } }>('/reports/:month', async ({ params: { month } }, reply) => {
    const task = await millrace.submit<typeof report>(
      'report.make',
      { month },
      { idempotencyKey: `report-${month}` },
    )
    try {
      return await task.result({ timeoutMs: patienceMs })
    } catch (error) {
      if (error instanceof TaskTimeoutError)
        return reply
          .code(202)
          .header('location', `/reports/by-task/${task.id}`)
          .send({ status: 'in the making' })
      if (error instanceof TaskFailedError || error instanceof TaskCanceledError)
        return reply.code(500).send({ error: error.message })
      throw error
    }
  })

  app.get<{ Params: { id: string } }>('/reports/by-task/:id', async ({ params: { id } }, reply) => {
    try {
      const { status, result } = await millrace.wait(id, { timeoutMs: patienceMs })
      return status === 'completed' ? result : reply.code(500).send({ error: `the report is ${status}` })
    } catch (error) {
      if (error instanceof NotFoundError) return reply.code(404).send({ error: 'there is no such report' })
      if (error instanceof TaskTimeoutError) return reply.code(202).send({ status: 'in the making' })
      throw error
    }
  })

  return app
}
