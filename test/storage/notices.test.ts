import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import { attemptsIn, channels, notices } from '../../src/storage/notices.ts'
import { ledgerUnderTest, newId } from '../support/ledger.ts'
import { until } from '../support/until.ts'

test('whoever listens hears of every canceled attempt, however many and however late they are', async (t) => {
  const { looks, url } = await ledgerUnderTest(t)
  const listener = new pg.Client({ connectionString: url })
  await listener.connect()
  await listener.query(`listen ${channels.canceled}`)
  const heard: unknown[] = []
  listener.on('notification', ({ payload }) => heard.push(...attemptsIn(payload ?? '')))
  const sender = notices(looks)
  const canceled = Array.from({ length: 500 }, () => ({ id: newId(), attempt: 2_147_483_647 }))

  sender.canceled(canceled.slice(0, 1))
  sender.canceled(canceled.slice(1))
  sender.stop()

  await until(() => heard.length === canceled.length, { what: 'all are heard of' })
  await listener.end()
  assert.deepEqual(heard.toSorted(byId), canceled.toSorted(byId))
})

const byId = (a: unknown, b: unknown) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)
