import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import pg from 'pg'
import { migrateDatabase, migrationNames } from '../../src/storage/migrate.ts'
import { emptyDatabase } from '../support/postgres.ts'

const folder = new URL('../../src/storage/migrations/', import.meta.url)
const withKeys = '014_sql_keys.sql'

test('what was granted and defined before submissions in SQL had keys and callbacks goes on', async (t) => {
  const url = await emptyDatabase(t)
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {}) // its database is dropped
  await client.connect()
  t.after(() => client.end())
  await client.query('create schema millrace; create table millrace.migrations (name text primary key)')
  await client.query('alter table millrace.migrations add column applied_at timestamptz default now()')
  for (const name of migrationNames().filter((name) => name < withKeys)) {
    await client.query(`set search_path = millrace; ${readFileSync(new URL(name, folder), 'utf8')}`)
    await client.query('insert into millrace.migrations (name) values ($1)', [name])
  }
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
