import assert from 'node:assert/strict'
import { it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '../../src/client/index.ts'
import { assertCountsExact } from '../conformance/system.ts'
import { query, testDatabase } from '../support/postgres.ts'
import { until } from '../support/until.ts'
import { deploy } from './deployment.ts'

it('submits one task for each time while processes are killed, and catches up when all were gone', async (t) => {
  const DATABASE_URL = await testDatabase(t)
  const { startApi, startWorker } = await deploy(t, { DATABASE_URL })
  const times = async () => {
    const rows = await query<{ at: string }>(
      DATABASE_URL,
      `select substr(idempotency_key, 17) as at from millrace.tasks order by idempotency_key`,
    )
    return rows.map(({ at }) => Date.parse(at) / 1000)
  }
  const untilMore = async (more: number) => {
    const { length } = await times()
    await until(async () => (await times()).length >= length + more, { what: `${more} more tasks` })
  }
  const processes = await Promise.all([startApi(), startWorker(), startWorker(), startApi()])
  const { schedules } = createClient({ url: processes[0].url })
  await schedules.put('seconds', {
    cron: '* * * * * *',
    catchUp: 'all',
    task: { type: 'recorded', payload: 0 },
  })

  for (const process of processes) {
    await untilMore(2)
    process.kill('SIGKILL')
    await process.exited
  }
  const before = await times()
  await sleep(2_000) // an outage is a time in which nothing happens
  const [api] = await Promise.all([startApi(), startWorker()])
  await untilMore(4)
  await createClient({ url: api.url }).schedules.pause('seconds')

  const seen = await times()
  const [first] = seen
  assert.deepEqual(
    seen,
    seen.map((_, i) => first! + i),
  )
  assert.ok(seen.length >= before.length + 4)
  await assertCountsExact(DATABASE_URL)
})
