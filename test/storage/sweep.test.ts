import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import pg from 'pg'
import { migrate } from '../../src/main/migrate.ts'
import { openDatabase } from '../../src/storage/connection.ts'
import { hasCrashedLately } from '../../src/storage/crashes.ts'
import { createSweeper } from '../../src/storage/sweep.ts'
import { announceText, workerLock, workerRegistry } from '../../src/storage/workers.ts'
import { aWorker, completed, ledgerUnderTest, someTasks } from '../support/ledger.ts'
import { query, testServer } from '../support/postgres.ts'
import { until } from '../support/until.ts'

const leaseMs = 15_000

test('sweeping', async (t) => {
  const ledger = await ledgerUnderTest(t)
  // The server may have started a moment ago: silence before that is not counted.
  const heart = (age: string) => `update workers set last_seen_at = now() - interval '${age}' where id = $1`

  /** A worker as its lifeline makes it: with a row and, until it dies, with its lock. */
  async function lives(t: TestContext, worker = aWorker()) {
    const client = new pg.Client({ connectionString: ledger.url, options: '-c search_path=millrace' })
    client.on('error', () => {})
    await client.connect()
    let open = true
    const die = async () => {
      if (open) await client.end()
      open = false
    }
    t.after(die)
    await client.query(`select pg_advisory_lock(${workerLock})`, [worker.id])
    await client.query(announceText, [worker.id, 'here', 1, '1', ['default'], worker.types, 10, 0])
    return { worker, die }
  }

  async function runs(worker: ReturnType<typeof aWorker>, count: number) {
    await ledger.submit(someTasks(count), { packetSize: count })
    return ledger.claim(worker)
  }

  await t.test('leaves a worker alone that holds its lock', async (t) => {
    const sweep = createSweeper(ledger.moves)
    const { worker } = await lives(t)
    await runs(worker, 2)

    for (let i = 0; i < 3; i++) {
      assert.deepEqual(await sweep(leaseMs, true), { workers: [], packets: [], again: false })
    }
    assert.equal((await ledger.ledger.held(worker.id)).length, 1)
  })

  await t.test('puts back at the second look what a worker without its lock ran', async (t) => {
    const sweep = createSweeper(ledger.moves)
    const { worker, die } = await lives(t)
    const { tasks } = await runs(worker, 3)
    await die()

    const first = await sweep(leaseMs, true)
    const second = await sweep(leaseMs, true)

    assert.deepEqual(first, { workers: [], packets: [], again: true })
    assert.deepEqual([second.workers, second.packets.length, second.again], [[worker.id], 1, false])
    const again = await ledger.claim(aWorker())
    assert.deepEqual(
      again.tasks.map((task) => [task.id, task.attempt, task.failures, task.crashes]),
      tasks.map((task) => [task.id, 2, 0, 1]),
    )
    assert.deepEqual(await ledger.rows('select from workers'), [])
    await ledger.assertSound()
  })

  await t.test('puts what a dead worker ran before all that wait', async (t) => {
    const sweep = createSweeper(ledger.moves)
    const { worker, die } = await lives(t)
    const { tasks } = await runs(worker, 1)
    await ledger.submit(someTasks(1))
    await die()
    await sweep(leaseMs, true)
    await sweep(leaseMs, true)

    const next = await ledger.claim(aWorker(), 1)
    assert.deepEqual(
      next.tasks.map(({ id }) => id),
      tasks.map(({ id }) => id),
    )
    await ledger.assertSound()
  })

  await t.test('holds the death of its worker against a task once: a suspect runs apart', async (t) => {
    const sweep = createSweeper(ledger.moves)
    for (let death = 1; death <= 2; death++) {
      const { worker, die } = await lives(t)
      if (death === 1) await ledger.submit(someTasks(1))
      await ledger.claim(worker)
      await die()
      await sweep(leaseMs, true)
      await sweep(leaseMs, true)
    }
    assert.deepEqual(await ledger.rows('select attempt, crashes from tasks'), [[2, 1]])
  })

  await t.test('remembers that a worker of a host died, from the moment it did', async (t) => {
    const sweep = createSweeper(ledger.moves)
    const crashed = (host: string) => hasCrashedLately(ledger.moves, host, 60_000)
    const { worker, die } = await lives(t)
    assert.equal(await crashed('here'), false)
    await die()

    assert.equal(await crashed('here'), true)
    await sweep(leaseMs, true)
    assert.deepEqual((await sweep(leaseMs, true)).workers, [worker.id])
    assert.deepEqual([await crashed('here'), await crashed('elsewhere')], [true, false])
    await ledger.rows(`update crashes set crashed_at = now() - interval '2 minutes'`)
    assert.equal(await crashed('here'), false)
  })

  await t.test('forgives a worker that has its lock again at the second look', async (t) => {
    const sweep = createSweeper(ledger.moves)
    const { worker, die } = await lives(t)
    await runs(worker, 1)
    await die()
    await sweep(leaseMs, true)
    await lives(t, worker)

    assert.deepEqual(await sweep(leaseMs, true), { workers: [], packets: [], again: false })
    assert.equal((await ledger.ledger.held(worker.id)).length, 1)
  })

  await t.test(
    'takes a worker for dead whose heart has not beaten for a lease, though its lock is held',
    async (t) => {
      const sweep = createSweeper(ledger.moves)
      const { worker } = await lives(t)
      await runs(worker, 1)
      await ledger.rows(heart('20 seconds'), [worker.id])
      // A lease is never judged over a time in which the server did not run.
      const short = 1

      const { workers, packets } = await sweep(short, true)

      assert.deepEqual([workers, packets.length], [[worker.id], 1])
      await ledger.assertSound()
    },
  )

  await t.test('takes a worker for dead at once that was buried by its host', async (t) => {
    const sweep = createSweeper(ledger.moves)
    const { worker, die } = await lives(t)
    await runs(worker, 1)
    await die()
    await ledger.rows(`update workers set last_seen_at = '-infinity' where id = $1`, [worker.id])

    const registry = workerRegistry(ledger.looks)
    assert.deepEqual([await registry.list(), (await registry.capacities()).size], [[], 0])
    assert.deepEqual((await sweep(leaseMs, true)).workers, [worker.id])
  })

  await t.test('judges nobody while it may not', async (t) => {
    const sweep = createSweeper(ledger.moves)
    const { worker, die } = await lives(t)
    await runs(worker, 1)
    await die()

    for (let i = 0; i < 3; i++) assert.deepEqual((await sweep(1, false)).workers, [])
    assert.equal((await ledger.ledger.held(worker.id)).length, 1)
  })

  await t.test(
    'leaves what was canceled or runs elsewhere meanwhile, and takes what never started',
    async (t) => {
      const sweep = createSweeper(ledger.moves)
      const { worker, die } = await lives(t)
      await ledger.submit([...someTasks(4), ...someTasks(1, { type: 'strange' })])
      const { tasks } = await ledger.claim(worker)
      const [canceled, elsewhere, done, running] = tasks
      await ledger.store.cancel([canceled!.id, elsewhere!.id])
      await ledger.store.retry([elsewhere!.id])
      const other = aWorker()
      await ledger.claim(other)
      await ledger.ledger.finish(worker.id, [completed(done!)], [])
      await die()

      await sweep(leaseMs, true)
      await sweep(leaseMs, true)

      const rows = await ledger.rows('select type, status, crashes, worker_id is null from tasks order by id')
      assert.deepEqual(rows, [
        ['plain', 'canceled', 0, false],
        ['plain', 'processing', 0, false],
        ['plain', 'completed', 0, false],
        ['plain', 'pending', 1, true],
        ['strange', 'pending', 0, true],
      ])
      assert.deepEqual(
        (await ledger.claim(aWorker())).tasks.map(({ id }) => id),
        [running!.id],
      )
      await ledger.assertSound()
    },
  )

  await t.test('finds packets of a worker that has said good-bye', async () => {
    const sweep = createSweeper(ledger.moves)
    const worker = aWorker()
    await runs(worker, 2)

    assert.deepEqual((await sweep(leaseMs, true)).packets, [])
    await ledger.rows(`update packets set claimed_at = now() - interval '20 seconds'`)

    assert.deepEqual((await sweep(leaseMs, false)).packets, [])
    assert.equal((await sweep(leaseMs, true)).packets.length, 1)
    assert.equal((await ledger.claim(aWorker())).tasks.length, 2)
    await ledger.assertSound()
  })

  await t.test('puts back a great many packets', async (t) => {
    const sweep = createSweeper(ledger.moves)
    const { worker, die } = await lives(t)
    await ledger.submit(someTasks(260), { packetSize: 2 })
    await ledger.claim(worker)
    await die()

    await sweep(leaseMs, true)

    assert.equal((await sweep(leaseMs, true)).packets.length, 130)
    await ledger.assertSound()
  })

  await t.test('puts nothing back twice when several do it', async (t) => {
    const sweepers = [createSweeper(ledger.moves), createSweeper(ledger.moves), createSweeper(ledger.moves)]
    const { worker, die } = await lives(t)
    await ledger.submit(someTasks(100), { packetSize: 5 })
    await ledger.claim(worker)
    await die()

    for (let i = 0; i < 4; i++) await Promise.all(sweepers.map((sweep) => sweep(leaseMs, true)))

    assert.deepEqual(await ledger.rows('select count(*), max(crashes) from tasks'), [[100, 1]])
    assert.equal((await ledger.claim(aWorker())).tasks.length, 100)
    await ledger.assertSound()
  })
})

test('sweeping after a server process crashed', async (t) => {
  const server = await testServer(t)
  await migrate(server.url)
  const database = openDatabase(server.url, { connections: 1, statementTimeoutMs: 10_000, plans: 'moves' })
  t.after(database.close)
  const run = (text: string, values: unknown[] = []) => database.run<[number]>({ name: '', text }, values)
  const worker = aWorker()
  await run(announceText, [worker.id, 'here', 1, '1', ['default'], worker.types, 10, 0])

  // All processes of the server start anew, and it calls itself as old as before.
  const [[pid]] = (await run('select pg_backend_pid()')) as [[number]]
  process.kill(pid, 'SIGKILL')
  await until(() => query(server.url, 'select'), { what: 'the server has recovered' })

  await t.test('gives a worker a lease to take the lock again that was lost in the crash', async () => {
    const sweep = createSweeper(database)

    for (let i = 0; i < 3; i++)
      assert.deepEqual(await sweep(leaseMs, true), { workers: [], packets: [], again: false })
  })

  await t.test('takes it for dead when the lease is over', async () => {
    const shortMs = 1

    assert.deepEqual((await createSweeper(database)(shortMs, true)).workers, [worker.id])
  })
})
