import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { query, testDatabase } from '../support/postgres.ts'

const program = join(import.meta.dirname, '../../deploy/worker-health.ts')

test('a worker is well while its heart beats, and only on its own host', async (t) => {
  const url = await testDatabase(t)
  assert.equal(await health(url), 1, 'nobody yet')
  await beat(url, { host: 'another-host', ago: '1 second' })
  assert.equal(await health(url), 1, 'another host')
  await beat(url, { host: hostname(), ago: '5 minutes' })
  assert.equal(await health(url), 1, 'long ago')
  await beat(url, { host: hostname(), ago: '1 second' })
  assert.equal(await health(url), 0, 'a moment ago')
})

test('a worker is not well while the database is away', async () => {
  assert.equal(await health('postgres://millrace@127.0.0.1:1/millrace'), 1)
})

async function health(url: string): Promise<number> {
  const env = { PATH: process.env.PATH ?? '', DATABASE_URL: url }
  const child = spawn(process.execPath, [program], { env, stdio: 'ignore' })
  const [code] = await once(child, 'exit')
  return code
}

async function beat(url: string, { host, ago }: { host: string; ago: string }): Promise<void> {
  await query(
    url,
    `insert into millrace.workers (id, host, pid, version, queues, types, concurrency, last_seen_at)
     values (gen_random_uuid(), $1, 1, '0', '{default}', '{default}', 1, now() - $2::interval)`,
    [host, ago],
  )
}
