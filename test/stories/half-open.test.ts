import { it } from 'node:test'
import { openDatabase } from '../../src/storage/connection.ts'
import { openLink } from '../faults/system/link.ts'
import { query, testDatabase } from '../support/postgres.ts'
import { until } from '../support/until.ts'
import { deploy } from './deployment.ts'

it('lives on when its connections are half-open: the one that is dead keeps the lock from nobody', async (t) => {
  const url = await testDatabase(t)
  const link = await openLink(url)
  t.after(() => link.close())
  const { startWorker } = await deploy(t, { DATABASE_URL: link.url })
  await startWorker()

  link.freeze()
  link.thaw()
  const [frozen] = await query<{ at: Date }>(url, 'select now() as at')

  const beat = () => query(url, 'select from millrace.workers where last_seen_at > $1', [frozen?.at])
  await until(async () => (await beat()).length > 0, { deadlineMs: 40_000, what: 'another heartbeat' })
})

it('lets go of what a transaction has locked whose connection is half-open', async (t) => {
  const url = await testDatabase(t)
  const link = await openLink(url)
  t.after(() => link.close())
  const database = openDatabase(link.url, { connections: 1, statementTimeoutMs: 60_000, plans: 'moves' })
  t.after(() => database.close())
  let frozen = false
  const lost = database.transaction(async (run) => {
    await run({ name: '', text: 'lock table packets' })
    link.freeze()
    link.thaw()
    frozen = true
    await run({ name: '', text: 'select' })
  })
  lost.catch(() => {}) // when the link is closed
  await until(() => frozen, { what: 'a connection that is half-open' })

  const free = async () => {
    await query(url, `set lock_timeout = '1s'; begin; lock table millrace.packets`)
    return true
  }
  await until(free, { deadlineMs: 20_000, what: 'the lock is free' })
})
