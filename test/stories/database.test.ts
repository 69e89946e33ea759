import assert from 'node:assert/strict'
import { it } from 'node:test'
import { assertCountsExact } from '../conformance/system.ts'
import { testServer } from '../support/postgres.ts'
import { until } from '../support/until.ts'
import { deploy } from './deployment.ts'

it('answers 503 while the database is away, loses nothing, and goes on when it is back', async (t) => {
  const server = await testServer(t)
  const { startApi, startWorker, untilCounts } = await deploy(t, { DATABASE_URL: server.url })
  const api = await startApi()
  const worker = await startWorker()
  const seen: Record<number, number> = {}
  let isOver = false
  const clients = Array.from({ length: 8 }, async () => {
    while (!isOver) {
      const reply = await fetch(`${api.url}/tasks`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"type":"recorded","payload":50}',
      })
      seen[reply.status] = (seen[reply.status] ?? 0) + 1
      if (reply.status === 503) assert.ok(Number(reply.headers.get('retry-after')) >= 1)
      await reply.arrayBuffer()
    }
  })
  const answered = () => seen[201] ?? 0
  for (const fault of [server.kill, () => server.stop().then(server.start), server.kill]) {
    const before = answered()
    await until(() => answered() > before + 100, { what: 'submissions', deadlineMs: 30_000 })
    await fault()
  }
  const before = answered()
  await until(() => answered() > before + 100, { what: 'submissions', deadlineMs: 30_000 })
  isOver = true
  await Promise.all(clients)

  assert.deepEqual(
    Object.keys(seen).filter((status) => status !== '503'),
    ['201'],
  )
  const { total } = (await (await fetch(`${api.url}/stats`)).json()) as { total: number }
  assert.ok(total >= answered(), `${total} tasks for ${answered()} answers`)
  await untilCounts({ completed: total })
  await assertCountsExact(server.url)
  for (const process of [api, worker]) {
    process.kill('SIGTERM')
    assert.equal(await process.exited, 0)
  }
})
