import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { test } from 'node:test'
import { TaskFailedError } from '../../src/client/index.ts'
import { serviceFor, systemWith } from './system.ts'

const said = (content: string) => `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`

test('a model is asked: busy, answering, and canceled in the middle', async (t) => {
  const answers: ((response: ServerResponse, request: IncomingMessage) => void)[] = []
  process.env.LLM_URL = await serviceFor(t, (_, response, request) => answers.shift()?.(response, request))
  const tasks = await import('../../examples/llm/tasks.ts')
  const millrace = await systemWith(t, tasks)
  const ask = (options = {}) =>
    millrace.submit<typeof tasks.ask>('llm.ask', { model: 'm', prompt: 'why?' }, options)

  answers.push((response) => response.writeHead(429, { 'retry-after': '60' }).end())
  answers.push((response) => {
    response.write(`${said('Because')}data: {"choices":[{"del`)
    response.end(`ta":{"content":" of that"}}]}\n\ndata: [DONE]\n\n`)
  })
  const task = await ask()
  await millrace.drain()
  await millrace.advance(60_000)
  assert.deepEqual(await task.result({ timeoutMs: 10_000 }), { answer: 'Because of that', tokens: 2 })

  const gone = new Promise((resolve) => {
    answers.push((response, request) => {
      response.write(said('I think'))
      resolve(once(request.socket, 'close'))
    })
  })
  const unwanted = await ask()
  await millrace.waitFor(async () => (await unwanted.get()).progress?.message === 'I think')
  await unwanted.cancel()
  await gone

  answers.push((response) => void response.write(said('Hm')))
  const slow = await ask({ timeoutMs: 300, maxAttempts: 1 })
  const error = await slow.result({ timeoutMs: 10_000 }).catch((error) => error)
  assert.ok(error instanceof TaskFailedError)
  assert.equal(error.task?.error?.name, 'TimeoutError')
})
