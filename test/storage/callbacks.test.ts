import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { taskJson } from '../../src/api/task-json.ts'
import { idSource } from '../../src/domain/id.ts'
import { callbackStore } from '../../src/storage/callbacks.ts'
import { openDatabase } from '../../src/storage/connection.ts'
import { taskStore } from '../../src/storage/tasks.ts'
import { callingBack, settleEnded } from '../../src/usecases/call-back.ts'
import { assertCountsExact } from '../conformance/system.ts'
import { query, testDatabase } from '../support/postgres.ts'

const newId = idSource()

async function underTest(t: TestContext) {
  const url = await testDatabase(t)
  const database = openDatabase(url, { connections: 8, statementTimeoutMs: 10_000, plans: 'moves' })
  t.after(database.close)
  const store = taskStore(database)
  const deps = { callbacks: callbackStore(database), newId, announce: () => {}, describe: taskJson }

  /** Stores tasks, each with a callback unless told. */
  async function submit(count: number, { callbackUrl = 'http://example.com/', payload = '1' } = {}) {
    const now = Array.from({ length: count }, () => ({
      id: newId(),
      payload,
      type: 'a',
      queue: 'q',
      priority: 'low' as const,
      due: 'now' as const,
      ...(callbackUrl === '' ? {} : { callbackUrl }),
    }))
    const packets = [{ queue: 'q', priority: 'low' as const, first: 0, last: count - 1 }]
    await store.submit({ now, packets, later: [], batches: [] })
    return now.map(({ id }) => id)
  }

  const deliveries = () =>
    query<{
      queue: string
      priority: number
      key: string
      payload: { about: string; url: string; body: string }
    }>(
      url,
      `select queue, priority, idempotency_key as key, payload from millrace.tasks
        where type = 'millrace.webhook' order by id`,
    )
  const waiting = async () =>
    (await query(url, 'select from millrace.callbacks where told_at is null')).length
  return { url, database, store, deps, submit, deliveries, waiting }
}

describe('callbacks', () => {
  it('cost tasks without one no row', async (t) => {
    const { submit, waiting } = await underTest(t)
    await submit(3, { callbackUrl: '' })
    assert.equal(await waiting(), 0)
  })

  it('are delivered when their task is final, and not before, with the task as it is then', async (t) => {
    const { url, store, deps, submit, deliveries } = await underTest(t)
    const ids = await submit(3, { payload: '{"b":1.0, "a":1e400}' })
    const round = callingBack(deps)
    await round()
    assert.deepEqual(await deliveries(), [])
    await store.cancel([ids[1]!])

    await round()

    const [made, ...others] = await deliveries()
    assert.deepEqual(others, [])
    assert.deepEqual([made!.queue, made!.priority], ['q', 2])
    assert.deepEqual([made!.payload.about, made!.payload.url], [ids[1], 'http://example.com/'])
    const { status, finishedAt } = JSON.parse(made!.payload.body)
    assert.equal(status, 'canceled')
    assert.equal(made!.key, `webhook:${ids[1]}:${finishedAt}`)
    assert.ok(made!.payload.body.includes('"payload":{"b":1.0, "a":1e400}'), made!.payload.body)
    await assertCountsExact(url)
  })

  it('are delivered once for each end, with any number of processes at once', async (t) => {
    const { url, store, deps, submit, deliveries, waiting } = await underTest(t)
    const ids = await submit(700)
    await store.cancel(ids)

    await Promise.all(Array.from({ length: 4 }, () => callingBack(deps)()))
    await callingBack(deps)()

    const made = await deliveries()
    assert.deepEqual(made.map(({ payload }) => payload.about).sort(), ids)
    assert.equal(await waiting(), 0)
    await assertCountsExact(url)
  })

  it('are delivered again when the task was retried and ends again', async (t) => {
    const { store, deps, submit, deliveries } = await underTest(t)
    const ids = await submit(1)
    const round = callingBack(deps)
    for (let ends = 0; ends < 2; ends++) {
      await store.cancel(ids)
      await round()
      await round()
      await store.retry(ids)
      await round()
    }
    assert.equal((await deliveries()).length, 2)
  })

  it('tell of an end that nobody has seen yet before a retry undoes it', async (t) => {
    const { store, deps, submit, deliveries } = await underTest(t)
    const ids = await submit(2)
    await store.cancel(ids)

    await settleEnded(deps, ids)
    await store.retry(ids)

    const ends = (await deliveries()).map(({ payload }) => JSON.parse(payload.body).status)
    assert.deepEqual(ends, ['canceled', 'canceled'])
  })

  it('are not delivered twice or forgotten when the process dies in between', async (t) => {
    const { database, store, deps, submit, deliveries } = await underTest(t)
    await store.cancel(await submit(2))
    const dying = callbackStore({
      ...database,
      transaction: (work) =>
        database.transaction(async (run) => {
          await work(run)
          throw new Error('the process died')
        }),
    })

    await assert.rejects(callingBack({ ...deps, callbacks: dying })(), /died/)
    assert.deepEqual(await deliveries(), [])
    await callingBack(deps)()

    assert.equal((await deliveries()).length, 2)
  })

  it('leave no row behind a task that is completed', async (t) => {
    const { url, deps, submit, deliveries } = await underTest(t)
    await submit(1)
    await query(url, `update millrace.tasks set status = 'completed', result = '1', finished_at = now()`)
    await callingBack(deps)()
    assert.equal((await deliveries()).length, 1)
    assert.deepEqual(await query(url, 'select from millrace.callbacks'), [])
  })

  it('of large tasks are made in portions', async (t) => {
    const { store, deps, submit } = await underTest(t)
    const ids = await submit(30, { payload: JSON.stringify('x'.repeat(1_000_000)) })
    await store.cancel(ids)
    const sizes: number[] = []
    const counting = {
      ...deps.callbacks,
      settle: async (...given: Parameters<typeof deps.callbacks.settle>) => {
        const settled = await deps.callbacks.settle(...given)
        sizes.push(settled.settled)
        return settled
      },
    }

    await settleEnded({ ...deps, callbacks: counting }, ids)

    assert.deepEqual(sizes, [8, 8, 8, 6])
  })
})
