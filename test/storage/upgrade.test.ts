import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import pg from 'pg'
import { migrateDatabase, migrationNames } from '../../src/storage/migrate.ts'
import { emptyDatabase } from '../support/postgres.ts'

const folder = new URL('../../src/storage/migrations/', import.meta.url)

/** A database as it was before a migration, and a connection to it. */
async function databaseBefore(t: TestContext, migration: string) {
  const url = await emptyDatabase(t)
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {}) // its database is dropped
  await client.connect()
  t.after(() => client.end())
  await client.query('create schema millrace; create table millrace.migrations (name text primary key)')
  await client.query('alter table millrace.migrations add column applied_at timestamptz default now()')
  for (const name of migrationNames().filter((name) => name < migration)) {
    await client.query(`set search_path = millrace; ${readFileSync(new URL(name, folder), 'utf8')}`)
    await client.query('insert into millrace.migrations (name) values ($1)', [name])
  }
  return { url, client }
}

test('what was granted and defined before submissions in SQL had keys and callbacks goes on', async (t) => {
  const { url, client } = await databaseBefore(t, '014_sql_keys_and_callbacks.sql')
  await client.query(
    'set search_path = pg_catalog; drop role if exists sql_upgraded; create role sql_upgraded',
  )
  t.after(() =>
    client.query('reset role; drop owned by sql_upgraded; drop role sql_upgraded').catch(() => {}),
  )
  await client.query('grant usage on schema millrace to sql_upgraded')
  await client.query(
    'grant execute on function millrace.submit, millrace.submit_batch to sql_upgraded with grant option',
  )
  await client.query(`
    create function public.place_order(n integer) returns uuid security definer
    begin atomic
      select millrace.submit(json_build_object('order', n), type := 'email.send');
    end`)
  const submitted = { name: 'submit', text: `select millrace.submit('1', 'a.b') as id` }
  await client.query(submitted)

  await migrateDatabase(url)

  const one = async (text: string) => (await client.query({ text, rowMode: 'array' })).rows[0]?.[0]
  await client.query(submitted)
  await one('select public.place_order(17)')
  await client.query('set role sql_upgraded')
  const id = await one(`select millrace.submit('1', key := 'a')`)
  await client.query('reset role')
  const { rows } = await client.query('select id, type, key from millrace.tasks order by id')
  assert.deepEqual(
    rows.map(({ type, key }) => [type, key]),
    [
      ['a.b', null],
      ['a.b', null],
      ['email.send', null],
      ['default', 'a'],
    ],
  )
  assert.equal(rows.at(-1).id, id)
  const grants = await client.query(
    `select has_function_privilege('sql_upgraded', p.oid, 'execute with grant option') as may, pronargs as arguments
       from pg_proc as p where pronamespace = 'millrace'::regnamespace and proname in ('submit', 'submit_batch')
      order by proname desc`,
  )
  assert.deepEqual(grants.rows, [
    { may: true, arguments: 2 },
    { may: true, arguments: 11 },
  ])
})

test('what was parked a row for each task waits for its turn in parcels', async (t) => {
  const { url, client } = await databaseBefore(t, '018_parcels.sql')
  await client.query(`
    insert into parked (queue, key, priority, task_id)
    select 'q', 'k' || n % 2, n % 3, ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid from generate_series(1, 400) as n`)
  const waiting = async () =>
    (await client.query('select * from millrace.parked order by key, priority, task_id')).rows
  const before = await waiting()

  await migrateDatabase(url)

  assert.deepEqual(await waiting(), before)
  const { rows } = await client.query(
    `select count(*)::int as parcels, max(cardinality(task_ids)) as most, bool_and(first_id = task_ids[1]) as whole
       from millrace.parcels`,
  )
  assert.deepEqual(rows, [{ parcels: 12, most: 50, whole: true }])
})
