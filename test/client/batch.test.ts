import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { type BatchOptions, BatchTimeoutError, createClient, MillraceError } from '../../src/client/index.ts'
import { fakeMillrace } from './fake-millrace.ts'

async function underTest(t: TestContext, options = {}) {
  const fake = await fakeMillrace(options)
  t.after(() => fake.close())
  const client = createClient({ url: fake.url })
  const { batchId, ids } = await client.submitBatch([{ payload: 1 }, { payload: 2 }])
  return { fake, client, ids, batch: client.batch(batchId) }
}

describe('a batch', () => {
  it('tells how far it is', async (t) => {
    const { fake, batch, ids } = await underTest(t)
    fake.finish(ids[0]!, { status: '"completed"' })

    const { total, counts, finishedAt } = await batch.get()

    assert.deepEqual([total, counts.completed, counts.pending, finishedAt], [2, 1, 1, null])
  })

  it('is waited for, and shows its progress', async (t) => {
    const { batch } = await underTest(t, { finishes: true })
    const seen: number[] = []

    const finished = await batch.wait({ onProgress: ({ counts }) => seen.push(counts.completed) })

    assert.ok(finished.finishedAt)
    assert.deepEqual(seen, [2])
  })

  it('that takes too long ends the wait, and the error says how far it is', async (t) => {
    const { batch } = await underTest(t)
    await assert.rejects(
      batch.wait({ timeoutMs: 50 }),
      (error) =>
        error instanceof BatchTimeoutError && error.batch.total === 2 && /2 of the 2/.test(error.message),
    )
  })

  it('is canceled and retried as a whole, and the answer is how many', async (t) => {
    const { fake, batch, ids } = await underTest(t)
    fake.finish(ids[0]!, { status: '"failed"' })
    assert.equal(await batch.retry(), 1)
    assert.equal(await batch.cancel(), 2)
    assert.equal((await batch.get()).counts.canceled, 2)
  })

  it('that is not there is an error with its code', async (t) => {
    const { client } = await underTest(t)
    await assert.rejects(
      client.batch('0199f000-0000-7000-9000-00000000ffff').get(),
      (error) => error instanceof MillraceError && error.code === 'batch-not-found',
    )
  })

  it('goes out with what comes then', async (t) => {
    const { fake, client } = await underTest(t)
    const options: BatchOptions = JSON.parse('{"then":{"type":"report","payload":{"to":"a"}}}')
    await client.submitBatch([{ payload: 1 }], options)
    const { body } = fake.requestsTo('/tasks/batch').at(-1)!
    assert.deepEqual(JSON.parse(body), { tasks: [{ payload: 1 }], ...options })
  })
})
