import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { cursorOf } from '../../src/api/cursor.ts'
import { type LiveKey, newKey } from '../../src/domain/access.ts'
import type { NewBulkAction } from '../../src/domain/bulk-action.ts'
import { TaskError } from '../../src/domain/errors.ts'
import { idSource } from '../../src/domain/id.ts'
import { apiWith, bulkActionOf } from './api-under-test.ts'
import { assertProblem } from './problem-check.ts'

const id = idSource()()

describe('bulk actions over HTTP', () => {
  async function api(t: Parameters<typeof apiWith>[0]) {
    const wishes: Omit<NewBulkAction, 'id'>[] = []
    const { app } = await apiWith(t, {
      createBulkAction: async (wish) => {
        wishes.push(wish)
        return bulkActionOf(id, { action: wish.action, filter: wish.filter })
      },
    })
    const post = (payload: unknown) =>
      app.inject({
        ...{ method: 'POST', url: '/bulk-actions', headers: { 'content-type': 'application/json' } },
        payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
      })
    return { app, post, wishes }
  }

  it('are created, with where they are', async (t) => {
    const { post, wishes } = await api(t)
    const filter = { status: ['failed', 'canceled'], type: 'email.*', age: '<1h', ids: [id] }
    const response = await post({ action: 'retry', filter })
    assert.equal(response.statusCode, 201)
    assert.equal(response.headers.location, `/bulk-actions/${id}`)
    assert.deepEqual(response.json().filter, filter)
    const scope = { youngerThanMs: 3_600_000, status: ['failed', 'canceled'], type: 'email.*', ids: [id] }
    assert.deepEqual(wishes, [{ action: 'retry', scope, filter: JSON.stringify(filter), start: false }])
    await post({ action: 'cancel', filter: {}, start: true })
    assert.deepEqual(wishes[1], { action: 'cancel', scope: {}, filter: '{}', start: true })
  })

  const bad: [what: string, body: unknown, ...pointers: string[]][] = [
    ['no action', { filter: {} }, '#/action'],
    ['no filter', { action: 'cancel' }, '#/filter'],
    ['another action', { action: 'run', filter: {} }, '#/action'],
    ['a filter that is none', { action: 'cancel', filter: [] }, '#/filter'],
    ['a start that is none', { action: 'cancel', filter: {}, start: 'yes' }, '#/start'],
    ['an unknown field', { action: 'cancel', filter: {}, fliter: {} }, '#/fliter'],
    [
      'unknown filters',
      { action: 'cancel', filter: { stauts: 'x', limit: '3', cursor: 'x' } },
      '#/filter/stauts',
      '#/filter/limit',
      '#/filter/cursor',
    ],
    [
      'values that are none',
      { action: 'cancel', filter: { type: 3, age: null } },
      '#/filter/type',
      '#/filter/age',
    ],
    [
      'values that are wrong',
      { action: 'cancel', filter: { status: 'done', age: '1h' } },
      '#/filter/age',
      '#/filter/status',
    ],
    ['a list of numbers', { action: 'cancel', filter: { ids: [1] } }, '#/filter/ids'],
    ['an empty list', { action: 'cancel', filter: { ids: [] } }, '#/filter/ids'],
    [
      'a hostile name',
      '{"action":"cancel","filter":{"__proto__":"x","a/b":"y"}}',
      '#/filter/__proto__',
      '#/filter/a~1b',
    ],
    [
      'statuses in which there is nothing to cancel',
      { action: 'cancel', filter: { status: 'pending,failed' } },
      '#/filter/status',
    ],
    [
      'statuses in which there is nothing to retry',
      { action: 'retry', filter: { status: ['completed'] } },
      '#/filter/status',
    ],
    [
      'statuses in which there is nothing to delete',
      { action: 'delete', filter: { status: 'processing' } },
      '#/filter/status',
    ],
  ]
  for (const [what, body, ...pointers] of bad)
    it(`refuse ${what}`, async (t) => {
      const { post, wishes } = await api(t)
      const response = await post(body)
      assertProblem(response, 'invalid-request')
      assert.deepEqual(
        response.json().errors.map((fault: { pointer: string }) => fault.pointer),
        pointers,
      )
      assert.deepEqual(wishes, [])
    })

  it('ask whether stauts meant status', async (t) => {
    const { post } = await api(t)
    assert.match(
      (await post({ action: 'cancel', filter: { stauts: 'x' } })).body,
      /is not a filter; did you mean 'status'\?/,
    )
  })

  it('are read, started and aborted', async (t) => {
    const { app } = await apiWith(t)
    assert.equal((await app.inject(`/bulk-actions/${id}`)).json().status, 'ready')
    for (const [verb, status] of [
      ['start', 'running'],
      ['abort', 'aborted'],
    ]) {
      const url = `/bulk-actions/${id.toUpperCase()}/${verb}`
      assert.equal((await app.inject({ method: 'POST', url })).json().status, status)
      assertProblem(await app.inject({ method: 'POST', url: `/bulk-actions/7/${verb}` }), 'invalid-request')
      assertProblem(await app.inject({ method: 'GET', url }), 'method-not-allowed')
    }
  })

  it('are not started when they are over, nor read when there are none', async (t) => {
    const over = new TaskError('bulk-action-over', 'is over')
    const missing = new TaskError('bulk-action-not-found', 'is not there')
    const { app } = await apiWith(t, {
      startBulkAction: () => Promise.reject(over),
      readBulkAction: () => Promise.reject(missing),
    })
    const started = await app.inject({ method: 'POST', url: `/bulk-actions/${id}/start` })
    assertProblem(started, 'bulk-action-over')
    assert.equal(started.statusCode, 409)
    assertProblem(await app.inject(`/bulk-actions/${id}`), 'bulk-action-not-found')
  })

  it('that delete take the scope admin', async (t) => {
    const { id: keyId, key, digest } = newKey()
    const live: LiveKey = { id: keyId, name: 'mail', scopes: ['cancel', 'read'], digest, expiresInMs: null }
    const some = {
      findKey: () => live,
      readBulkAction: async () => bulkActionOf(id, { action: 'delete' }),
    }
    const { app } = await apiWith(t, some, ['root'])
    const authorization = `Bearer ${key}`
    const headers = { 'content-type': 'application/json', authorization }
    const post = (payload: string) =>
      app.inject({ ...{ method: 'POST', url: '/bulk-actions', headers }, payload })
    assertProblem(await post('{"action":"delete","filter":{}}'), 'forbidden')
    assert.equal((await post('{"action":"retry","filter":{}}')).statusCode, 201)
    const start = {
      ...{ method: 'POST', url: `/bulk-actions/${id}/start` },
      headers: { authorization },
    } as const
    assertProblem(await app.inject(start), 'forbidden')
  })

  it('are listed', async (t) => {
    const wishes: unknown[] = []
    const { app } = await apiWith(t, {
      listBulkActions: async (wish) => {
        wishes.push(wish)
        return { actions: [bulkActionOf(id, { filter: '{"type":"a"}' })], next: id }
      },
    })
    const { data, page } = (await app.inject('/bulk-actions')).json()
    assert.deepEqual([data[0].filter, page], [{ type: 'a' }, { next: cursorOf(id) }])
    await app.inject(`/bulk-actions?limit=7&cursor=${page.next}`)
    assert.deepEqual(wishes, [{ limit: 50 }, { limit: 7, before: id }])
    assertProblem(await app.inject('/bulk-actions?cursor=x'), 'bad-cursor')
    assertProblem(await app.inject('/bulk-actions?status=done'), 'invalid-request')
  })
})
