import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TaskError } from '../../src/domain/errors.ts'
import { apiWith, batchOf } from './api-under-test.ts'
import { assertProblem, faultsOf } from './problem-check.ts'

const id = '019a5f0e-6f3c-7a41-9c55-3b1f0a7d2e10'
const url = `/batches/${id}`
const missing = () => Promise.reject(new TaskError('batch-not-found', `there is no batch ${id}`))

describe('batches', () => {
  it('are answered as they are, in whatever case the id is written', async (t) => {
    const { app } = await apiWith(t, { readBatch: async (id) => batchOf(id) })
    const response = await app.inject(url.replace(id, id.toUpperCase()))
    assert.equal(response.statusCode, 200)
    assert.deepEqual(response.json(), batchOf(id))
  })

  it('are waited for', async (t) => {
    const waits: unknown[] = []
    const { app } = await apiWith(t, {
      awaitBatch: async (id, waitMs, signal) => {
        waits.push([waitMs, signal.aborted])
        return batchOf(id, { finishedAt: null })
      },
    })
    assert.equal((await app.inject(`${url}?wait=1.5`)).json().finishedAt, null)
    assert.deepEqual(waits, [[1500, false]])
    assert.deepEqual(faultsOf(await app.inject(`${url}?wait=61`)), ['wait'])
    assert.deepEqual(faultsOf(await app.inject(`${url}?waits=1`)), ['waits'])
  })

  it('are canceled and retried, and the answer is how many', async (t) => {
    const { app } = await apiWith(t, { cancelBatch: async () => 7, retryBatch: async () => 3 })
    const canceled = await app.inject({ method: 'POST', url: `${url}/cancel` })
    const retried = await app.inject({ method: 'POST', url: `${url}/retry` })
    assert.deepEqual([canceled.json(), retried.json()], [{ canceled: 7 }, { retried: 3 }])
  })

  it('that are not there are a 404, and what is no id is a 422', async (t) => {
    const { app } = await apiWith(t, { readBatch: missing, cancelBatch: missing, retryBatch: missing })
    for (const [method, path] of [
      ['GET', url],
      ['POST', `${url}/cancel`],
      ['POST', `${url}/retry`],
    ] as const) {
      assertProblem(await app.inject({ method, url: path }), 'batch-not-found')
      assert.deepEqual(faultsOf(await app.inject({ method, url: path.replace(id, 'x') })), ['id'])
      assert.deepEqual(faultsOf(await app.inject({ method, url: `${path}?x=1` })), ['x'])
    }
    const headers = { 'content-type': 'application/json' }
    const body = await app.inject({ method: 'POST', url: `${url}/cancel`, headers, body: '{"a":1}' })
    assertProblem(body, 'invalid-request')
  })
})

describe('the list of batches', () => {
  it('is newest first, page after page', async (t) => {
    const wishes: unknown[] = []
    const { app } = await apiWith(t, {
      listBatches: async (wish) => {
        wishes.push(wish)
        return { batches: [batchOf(id)], next: wish.before ? null : id }
      },
    })
    const first = (await app.inject('/batches')).json()
    assert.deepEqual(first.data, [batchOf(id)])
    const second = (await app.inject(`/batches?limit=1&cursor=${first.page.next}`)).json()
    assert.equal(second.page.next, null)
    assert.deepEqual(wishes, [{ limit: 50 }, { limit: 1, before: id }])
  })

  it('refuses what is no cursor, no limit and no parameter', async (t) => {
    const { app } = await apiWith(t)
    assertProblem(await app.inject('/batches?cursor=x'), 'bad-cursor')
    assert.deepEqual(faultsOf(await app.inject('/batches?limit=201&status=failed')), ['status', 'limit'])
  })
})
