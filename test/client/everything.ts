import type * as client from '../../src/client/index.ts'

/** Uses the client in whatever runtime this is run by, with nothing but what all of them have; see `asExpected`. */
export async function tryAll({ createClient, NotFoundError }: typeof client, url: string) {
  const millrace = createClient({ url })
  const task = await millrace.submit('n', 'hello')
  const many: string[] = []
  for await (const { id } of millrace.submitMany([{ payload: 1 }, { payload: 2 }])) many.push(id)
  const listed: string[] = []
  for await (const { id } of millrace.list({ limit: 1 })) listed.push(id)
  const [, refused] = await Promise.all([
    millrace.submit('n', 1),
    millrace.submit('n', undefined).catch((error) => error.name),
  ])
  const missing = await millrace.get('0199f000-0000-7000-8000-ffffffffffff').catch((error) => error)
  const stop = new AbortController()
  stop.abort(new Error('enough'))
  const stopped = await millrace.run('n', 1, { signal: stop.signal }).catch((error) => error.message)
  return {
    result: await task.result({ timeoutMs: 10_000 }),
    ran: await millrace.run('n', 'hello', { waitMs: 10_000 }),
    many: many.length,
    listed: listed.length,
    refused,
    isNotFound: missing instanceof NotFoundError,
    stopped,
  }
}

/** What comes of it on an empty server that completes every task with 5. */
export const asExpected = {
  result: 5,
  ran: 5,
  many: 2,
  listed: 3,
  refused: 'InvalidRequestError',
  isNotFound: true,
  stopped: 'enough',
}
