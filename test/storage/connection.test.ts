import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { describe, it, type TestContext } from 'node:test'
import { StoreRefusedError, StoreUnavailableError } from '../../src/domain/errors.ts'
import { type Database, openDatabase } from '../../src/storage/connection.ts'
import { emptyDatabase, query, testDatabase, testServer } from '../support/postgres.ts'
import { until } from '../support/until.ts'

const ask = <R extends unknown[]>({ run }: Pick<Database, 'run'>, text: string) => run<R>({ name: '', text })

async function opened(t: TestContext, options: { connections?: number; statementTimeoutMs?: number } = {}) {
  const url = await testDatabase(t)
  const database = openDatabase(url, {
    connections: 2,
    statementTimeoutMs: 10_000,
    plans: 'moves',
    ...options,
  })
  t.after(database.close)
  return { url, database, pid: async () => (await ask<[number]>(database, 'select pg_backend_pid()'))[0]![0] }
}

describe('a database', () => {
  it('says of values that they were refused', async (t) => {
    const { database } = await opened(t)
    await ask(database, 'create table checked (n int check (n > 0))')

    for (const text of [
      `select '{'::json`,
      'select 1 / 0',
      `select 'x'::int`,
      'insert into checked values (0)',
    ]) {
      await assert.rejects(ask(database, text), StoreRefusedError, text)
    }
  })

  it('passes on what is a bug, so that nobody waits for it to go away', async (t) => {
    const { database } = await opened(t)

    await assert.rejects(ask(database, 'selec 1'), { name: 'error', code: '42601' })
    await assert.rejects(
      database.transaction(async () => Buffer.alloc(1).writeInt32BE(1)),
      RangeError,
    )
  })

  it('is not available while its tables are not there', async (t) => {
    const url = await emptyDatabase(t)
    const database = openDatabase(url, { connections: 1, statementTimeoutMs: 10_000, plans: 'moves' })
    t.after(database.close)

    await assert.rejects(ask(database, 'select from tasks'), StoreUnavailableError)
  })

  it('is not available when a statement takes too long, and gives its connection up', async (t) => {
    const { database, pid } = await opened(t, { connections: 1, statementTimeoutMs: 100 })
    const before = await pid()

    await assert.rejects(ask(database, 'select pg_sleep(10)'), StoreUnavailableError)

    assert.notEqual(await pid(), before)
  })

  it('answers the next statement after its connection was cut', async (t) => {
    const { url, database, pid } = await opened(t, { connections: 1 })
    const before = await pid()
    const cut = assert.rejects(ask(database, 'select pg_sleep(10)'), StoreUnavailableError)
    const running = `select pg_terminate_backend(pid) from pg_stat_activity where pid = ${before} and query like '%sleep%'`
    await until(async () => (await query(url, running)).length > 0, { what: 'the statement runs' })

    await cut
    assert.notEqual(await pid(), before)
  })

  it('answers the next statement after an idle connection was cut', async (t) => {
    const { url, database, pid } = await opened(t, { connections: 1 })
    await query(url, `select pg_terminate_backend(${await pid()})`)

    await until(() => pid(), { what: 'a new connection' })
    assert.deepEqual(await ask(database, 'select 1'), [[1]])
  })

  it('gives up a connection that is ten minutes old, and its plans with it, though it is busy', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { pid } = await opened(t, { connections: 1 })
    const pids = new Set([await pid()])

    for (let seconds = 0; seconds <= 600; seconds += 20) {
      t.mock.timers.tick(20_000)
      pids.add(await pid())
    }

    assert.equal(pids.size, 2)
  })

  it('keeps all of a transaction or nothing', async (t) => {
    const { database } = await opened(t)
    await ask(database, 'create table kept (n int)')
    const fill = (fail: boolean) =>
      database.transaction(async (run) => {
        await run({ name: '', text: 'insert into kept values (1)' })
        if (fail) throw new Error('changed my mind')
        return 'done'
      })

    await assert.rejects(fill(true), { message: 'changed my mind' })
    assert.deepEqual(await ask(database, 'select from kept'), [])

    assert.equal(await fill(false), 'done')
    assert.deepEqual(await ask(database, 'select from kept'), [[]])
  })

  it('repeats what was rolled back to end a deadlock', async (t) => {
    const { database } = await opened(t, { connections: 4 })
    await ask(database, 'create table pair (id int primary key, n int)')
    await ask(database, 'insert into pair values (1, 0), (2, 0)')
    const both = Promise.withResolvers<void>()
    let ready = 0
    const add = (first: number, second: number) => {
      let tries = 0
      return database.transaction(async (run) => {
        await run({ name: '', text: `update pair set n = n + 1 where id = ${first}` })
        if (++tries === 1 && ++ready === 2) both.resolve()
        if (tries === 1) await both.promise
        await run({ name: '', text: `update pair set n = n + 1 where id = ${second}` })
        return tries
      })
    }

    const tries = await Promise.all([add(1, 2), add(2, 1)])

    assert.deepEqual(tries.toSorted(), [1, 2])
    assert.deepEqual(await ask(database, 'select n from pair'), [[2], [2]])
  })

  it('is not available while the server is down, and comes back with it', async (t) => {
    const server = await testServer(t)
    const database = openDatabase(server.url, { connections: 2, statementTimeoutMs: 10_000, plans: 'looks' })
    t.after(database.close)
    assert.deepEqual(await ask(database, 'select 1'), [[1]])

    await server.stop()
    await assert.rejects(ask(database, 'select 1'), StoreUnavailableError)
    await assert.rejects(
      database.transaction((run) => ask({ run }, 'select 1')),
      StoreUnavailableError,
    )
    await server.start()

    assert.deepEqual(await ask(database, 'select 1'), [[1]])
  })

  it('is not available at an address where nobody listens, or without its database', async (t) => {
    const { url } = await opened(t)
    const { port, hostname, pathname } = new URL(url)
    for (const [part, other] of [
      [`:${port}/`, ':1/'],
      [`@${hostname}:`, '@no-such-host.invalid:'],
      [pathname, '/no_such_database'],
    ] as const) {
      const nowhere = url.replace(part, other)
      const database = openDatabase(nowhere, { connections: 1, statementTimeoutMs: 1_000, plans: 'looks' })
      await assert.rejects(ask(database, 'select 1'), StoreUnavailableError, nowhere)
      await database.close()
    }
  })

  it('keeps what it needs where the address has options of its own', async (t) => {
    const url = new URL(await testDatabase(t))
    url.searchParams.set('options', '-c work_mem=8MB -c search_path=public -c plan_cache_mode=auto')
    const database = openDatabase(url.href, { connections: 1, statementTimeoutMs: 10_000, plans: 'moves' })
    t.after(database.close)

    const settings = ['search_path', 'plan_cache_mode', 'enable_partition_pruning', 'work_mem']
    const [row] = await ask(database, `select ${settings.map((name) => `current_setting('${name}')`)}`)
    assert.deepEqual(row, ['millrace', 'force_generic_plan', 'off', '8MB'])
  })

  it('never prunes partitions while a statement that moves tasks runs', async (t) => {
    const { database } = await opened(t)

    assert.deepEqual(await ask(database, 'show enable_partition_pruning'), [['off']])
  })
})

describe('prepared statements', () => {
  it('have names of their own that PostgreSQL does not cut', () => {
    const texts = globSync(`${import.meta.dirname}/../../src/storage/*.ts`).map((file) =>
      readFileSync(file, 'utf8'),
    )
    const names = texts.flatMap((text) => [...text.matchAll(/name: '([^']+)'/g)].map(([, name]) => name!))

    assert.ok(names.length > 30)
    assert.deepEqual(
      names.filter((name, i) => names.indexOf(name) !== i),
      [],
    )
    assert.deepEqual(
      names.filter((name) => name.length > 63),
      [],
    )
  })
})
