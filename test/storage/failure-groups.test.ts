import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Failure } from '../../src/domain/outcome.ts'
import { failureGroups } from '../../src/storage/failure-groups.ts'
import { aTask, aWorker, failed, type LedgerUnderTest, ledgerUnderTest } from '../support/ledger.ts'
import { query } from '../support/postgres.ts'

type Wish = { type?: string; queue?: string }

/** Tasks that have failed, each with its failure. */
async function fail(ledger: LedgerUnderTest, failures: readonly Partial<Failure>[], wish: Wish = {}) {
  const tasks = failures.map(() => aTask(wish))
  await ledger.submit(tasks)
  const worker = { ...aWorker(), types: [wish.type ?? tasks[0]!.type] }
  const claim = await ledger.ledger.claim(worker, { room: 100, queues: [wish.queue ?? 'default'], look: 100 })
  const outcomes = claim.tasks.map((task, n) => {
    const outcome = failed(task)
    assert.equal(outcome.status, 'failed')
    return { ...outcome, failure: { name: 'Error', message: 'no', attempt: task.attempt, ...failures[n] } }
  })
  await ledger.ledger.finish(
    worker.id,
    outcomes,
    claim.packets.map(({ id }) => id),
  )
  return claim.tasks.map(({ id }) => id)
}

async function groupsOf(ledger: LedgerUnderTest, wish: Wish & { order?: 'latest' | 'most' } = {}) {
  const groups = failureGroups(ledger.looks)
  while (await groups.fold());
  return (await groups.read({ order: 'most', limit: 50, ...wish })).groups
}

const counts = (groups: Awaited<ReturnType<typeof groupsOf>>) =>
  groups.map(({ name, count }) => [name, count])

test('failures that are alike are one group, with the latest as its sample', async (t) => {
  const ledger = await ledgerUnderTest(t)
  await fail(ledger, [{ message: 'no user 17' }, { message: 'no user 18' }], { type: 'a' })
  const [latest] = await fail(ledger, [
    { message: 'no user 19', stack: 'Error: no\n    at run (file:///a.ts:7:1)' },
  ])
  await fail(ledger, [{ name: 'TypeError', message: 'odd' }], { queue: 'other' })

  const found = await groupsOf(ledger)
  assert.deepEqual(
    found.map(({ count }) => count),
    [2, 1, 1],
  )
  const withFrame = found.find(({ topFrame }) => topFrame !== null)!
  assert.deepEqual(
    [withFrame.message, withFrame.topFrame, withFrame.sampleTaskId],
    ['no user 19', 'at run (file:///a.ts:7:1)', latest],
  )
  const alike = found.find(({ count }) => count === 2)!
  assert.equal(alike.message, 'no user 18')
  assert.deepEqual([alike.types, alike.queues, alike.trend.at(-1)], [['a'], ['default'], 2])
  assert.deepEqual(counts(await groupsOf(ledger, { queue: 'other' })), [['TypeError', 1]])
  assert.deepEqual(counts(await groupsOf(ledger, { type: 'a' })), [['Error', 2]])
})

test('a group has as many as are failed now, whatever became of them', async (t) => {
  const ledger = await ledgerUnderTest(t)
  const ids = await fail(ledger, [{}, {}, {}])
  const [{ firstSeenAt } = assert.fail()] = await groupsOf(ledger)
  await ledger.store.retry(ids.slice(0, 1))
  assert.equal((await groupsOf(ledger))[0]!.count, 2)

  const before = failureGroups(ledger.looks)
  await ledger.store.retry(ids.slice(1))
  assert.deepEqual(
    (await before.read({ order: 'latest', limit: 5 })).groups,
    [],
    'at once, before it is folded',
  )
  assert.deepEqual(await groupsOf(ledger), [])

  const worker = aWorker()
  const claim = await ledger.claim(worker)
  await ledger.ledger.finish(
    worker.id,
    claim.tasks.map((task) => {
      const outcome = failed(task)
      return { ...outcome, failure: { name: 'Error', message: 'no', attempt: task.attempt } }
    }),
    [],
  )
  const [again] = await groupsOf(ledger)
  assert.deepEqual([again!.count, again!.firstSeenAt], [3, firstSeenAt])

  await query(ledger.url, 'delete from millrace.stopped')
  assert.deepEqual(await groupsOf(ledger), [])
})

test('several who fold at the same time count each failure once', async (t) => {
  const ledger = await ledgerUnderTest(t)
  for (let n = 0; n < 5; n++)
    await fail(
      ledger,
      Array.from({ length: 20 }, () => ({})),
    )
  await Promise.all(Array.from({ length: 4 }, () => failureGroups(ledger.looks).fold()))
  const [group] = await groupsOf(ledger)
  assert.deepEqual([group!.count, group!.trend.reduce((sum, n) => sum + n)], [100, 100])
  const [{ n } = assert.fail()] = await query<{ n: string }>(
    ledger.url,
    'select n from millrace.failure_groups',
  )
  assert.equal(Number(n), 100)
})

test('pages go on where the last one ended, in either order', async (t) => {
  const ledger = await ledgerUnderTest(t)
  for (let n = 1; n <= 5; n++)
    await fail(
      ledger,
      Array.from({ length: (n % 3) + 1 }, () => ({ name: `E${'x'.repeat(n)}` })),
    )
  for (const order of ['latest', 'most'] as const) {
    const all = await groupsOf(ledger, { order })
    const paged = []
    const groups = failureGroups(ledger.looks)
    for (let page = await groups.read({ order, limit: 2 }); ; ) {
      paged.push(...page.groups)
      if (!page.next) break
      page = await groups.read({ order, limit: 2, after: page.next })
    }
    assert.deepEqual(paged, all)
    assert.equal(all.length, 5)
  }
})

test('errors that PostgreSQL could not take apart are told as they are', async (t) => {
  const ledger = await ledgerUnderTest(t)
  await fail(ledger, [{ message: 'a \u0000 and a \ud800 in it' }])
  assert.equal((await groupsOf(ledger))[0]!.message, 'a \u0000 and a \ud800 in it')
})
