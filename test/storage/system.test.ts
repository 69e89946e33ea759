import assert from 'node:assert/strict'
import { it } from 'node:test'
import { openDatabase } from '../../src/storage/connection.ts'
import { systemStore } from '../../src/storage/system.ts'
import { query, testDatabase } from '../support/postgres.ts'

it('tells sizes, and what is in the ledger', async (t) => {
  const url = await testDatabase(t)
  const database = openDatabase(url, { connections: 1, statementTimeoutMs: 5_000, plans: 'looks' })
  t.after(() => database.close())
  const { sizes, ledger } = systemStore(database)
  const { version, sizeBytes, partitions } = await sizes()
  assert.match(version, /^\d+\.\d+/)
  assert.ok(sizeBytes > 1_000_000)
  assert.ok(partitions.length >= 3)
  assert.deepEqual(partitions.at(-1)?.name, 'tasks_default')
  for (const { name, from, to, rows, bytes } of partitions.slice(0, -1)) {
    assert.match(name, /^tasks_\d{8}$/)
    assert.ok(from && to && from < to && bytes > 0 && rows === 0)
  }
  assert.deepEqual(await ledger(), {
    waitingPackets: 0,
    unsentPackets: 0,
    heldPackets: 0,
    oldestWaitingAgeMs: null,
    oldestUnsentAgeMs: null,
    mostCounted: 20_000,
  })

  await query(
    url,
    `insert into millrace.packets (queue, priority, task_ids, created_at, sent_at, worker_id) values
      ('a', 1, '{}', now() - interval '9 s', now(), null), ('a', 1, '{}', now() - interval '5 s', null, null),
      ('b', 0, '{}', now(), null, null), ('b', 0, '{}', now(), now(), gen_random_uuid())`,
  )
  const { oldestWaitingAgeMs, oldestUnsentAgeMs, ...counts } = await ledger()
  assert.deepEqual(counts, { waitingPackets: 3, unsentPackets: 2, heldPackets: 1, mostCounted: 20_000 })
  assert.ok(oldestWaitingAgeMs! >= 9_000 && oldestUnsentAgeMs! >= 5_000 && oldestUnsentAgeMs! < 9_000)
})
