import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createClient } from '../../src/client/index.ts'
import { assertCountsExact } from '../conformance/system.ts'
import { query, testDatabase } from '../support/postgres.ts'
import { until } from '../support/until.ts'
import { deploy, type Line } from './deployment.ts'

const keys = ['a', 'b', 'c', 'd']

it('keeps limits, and gives slots back, while workers that run within them are killed', async (t) => {
  const DATABASE_URL = await testDatabase(t)
  const { startApi, startWorker, record, untilCounts } = await deploy(t, { DATABASE_URL })
  const [api] = await Promise.all([startApi(), startApi()])
  const client = createClient({ url: api.url })
  await client.limitQueue('default', { concurrency: 6, keyConcurrency: 2 })
  const keyOf = new Map<string, string>()
  const tasks = Array.from({ length: 240 }, (_, i) => ({ type: 'recorded', payload: 50, key: keys[i % 4]! }))
  const { ids } = await client.submitBatch(tasks)
  for (const [i, id] of ids.entries()) keyOf.set(id, tasks[i]!.key)
  let worker = await startWorker()

  for (const done of [30, 90, 150]) {
    await until(() => record().filter(({ what }) => what === 'end').length >= done, { what: `${done} tasks` })
    worker.kill('SIGKILL')
    await worker.exited
    worker = await startWorker()
  }
  await untilCounts({ completed: 240 })

  assert.deepEqual(mostAtOnce(record(), keyOf), { all: 6, ofKey: 2 })
  await until(async () => (await query(DATABASE_URL, 'select from millrace.admitted')).length === 0, {
    what: 'nothing counts as running',
  })
  const [left] = await query(DATABASE_URL, 'select (select count(*)::int from millrace.parked) as parked')
  assert.deepEqual(left, { parked: 0 })
  await assertCountsExact(DATABASE_URL)
})

it('keeps a pause through the restart of every process', async (t) => {
  const DATABASE_URL = await testDatabase(t)
  const { startApi, startWorker, record, untilCounts } = await deploy(t, { DATABASE_URL })
  const first = await startApi()
  const doomed = await startWorker()
  await createClient({ url: first.url }).pauseQueue('default')
  for (const process of [first, doomed]) {
    process.kill('SIGKILL')
    await process.exited
  }
  const client = createClient({ url: (await startApi()).url })
  await startWorker({ QUEUES: 'default,other' })
  const { id } = await client.submit('recorded', 0)
  await (await client.submit('recorded', 0, { queue: 'other' })).result({ timeoutMs: 20_000 })
  assert.equal((await client.get(id)).status, 'pending')
  assert.equal(record().filter(({ what }) => what === 'start').length, 1)

  const queue = await client.resumeQueue('default')

  assert.equal(queue.paused, false)
  await untilCounts({ completed: 2 })
})

/** How many ran at once, of all and of a key. What its process's death ended has no end in the record: it is cut there. */
function mostAtOnce(lines: readonly Line[], keyOf: ReadonlyMap<string, string>) {
  const lastOf = new Map<number, number>()
  for (const { pid, atMs } of lines) lastOf.set(pid, Math.max(atMs, lastOf.get(pid) ?? 0))
  const running = new Map<string, Line>()
  let all = 0
  let ofKey = 0
  for (const line of lines.toSorted((a, b) => a.atMs - b.atMs || (a.what === 'end' ? -1 : 1))) {
    for (const [id, { pid }] of running) if (lastOf.get(pid)! < line.atMs) running.delete(id)
    if (line.what === 'end') running.delete(line.id)
    if (line.what === 'start') running.set(line.id, line)
    all = Math.max(all, running.size)
    const same = [...running.keys()].filter((id) => keyOf.get(id) === keyOf.get(line.id))
    ofKey = Math.max(ofKey, same.length)
  }
  return { all, ofKey }
}
