import assert from 'node:assert/strict'
import { it } from 'node:test'
import { openDatabase } from '../../src/storage/connection.ts'
import { happenedStore } from '../../src/storage/happened.ts'
import { rollupStore } from '../../src/storage/rollups.ts'
import { query, testDatabase } from '../support/postgres.ts'

it('reads the minutes that are written, by queue and type', async (t) => {
  const url = await testDatabase(t)
  const database = openDatabase(url, { connections: 1, statementTimeoutMs: 5_000, plans: 'looks' })
  t.after(() => database.close())
  const { since } = happenedStore(database)
  const { nowMs, minutes } = await since(null)
  assert.deepEqual(minutes, [])
  await rollupStore(database).addTimes([{ queue: 'q', type: 't', waiting: [0, 3], running: [1] }])
  await query(url, 'update millrace.rollups set submitted = 7, failed = 2')
  const read = await since(nowMs - 60_000)
  assert.ok(read.nowMs >= nowMs)
  assert.deepEqual(
    read.minutes.map((row) => ({ ...row, minuteMs: row.minuteMs % 60_000 })),
    [
      {
        ...{ minuteMs: 0, queue: 'q', type: 't', submitted: 7, completed: 0, failed: 2, canceled: 0 },
        waiting: [0, 3],
        running: [1],
      },
    ],
  )
})
