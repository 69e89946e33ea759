import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import pg from 'pg'
import { isCallbackUrl } from '../../src/domain/callback.ts'
import { pack } from '../../src/domain/packet.ts'
import type { NewTask } from '../../src/domain/submission.ts'
import { aTask, aWorker, completed, ledgerUnderTest } from '../support/ledger.ts'
import { until } from '../support/until.ts'

/** A program of somebody else on the same database, with settings of its own. */
async function stranger(t: TestContext, url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {}) // its database is dropped
  await client.connect()
  await client.query(
    `set timezone = 'Asia/Kathmandu'; set datestyle = 'SQL, DMY'; set search_path = pg_catalog`,
  )
  t.after(() => client.end())
  return client
}

async function value(client: pg.Client, text: string, values: unknown[] = []) {
  return (await client.query({ text, values, rowMode: 'array' })).rows[0]?.[0]
}

async function refusal(client: pg.Client, call: string): Promise<pg.DatabaseError> {
  const error = await client.query(`select millrace.${call}`).then(
    () => undefined,
    (error: pg.DatabaseError) => error,
  )
  assert.ok(error, `${call} was not refused`)
  assert.ok(error.hint, `${call}: '${error.message}' has no hint`)
  return error
}

const keyed = (fresh: readonly NewTask[]) => {
  const now = fresh.filter(({ due }) => due === 'now')
  const { tasks, packets } = pack(now, () => ({ workers: 1, smallestConcurrency: 1000 }))
  return { now: tasks, packets, later: fresh.filter(({ due }) => due !== 'now'), batches: [] }
}

test('submitting in SQL', async (t) => {
  const ledger = await ledgerUnderTest(t)
  const client = await stranger(t, ledger.url)

  await t.test('stores a task with its defaults, its packet and its count', async () => {
    const id = await value(client, `select millrace.submit('{"b": 1.0, "a": 1e400}')`)

    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    const task = await ledger.reader.get(id)
    assert.equal(task?.payload, '{"b": 1.0, "a": 1e400}')
    const { type, queue, priority, status, attempt } = task
    assert.deepEqual([type, queue, priority, status, attempt], ['default', 'default', 'normal', 'pending', 0])
    assert.ok(Math.abs(Number.parseInt(id.replace('-', '').slice(0, 12), 16) - Date.now()) < 60_000)
    await ledger.assertSound()
  })

  await t.test('takes every field by its name', async () => {
    const id = await value(
      client,
      `select millrace.submit(payload := '1', type := 'a.b/c', queue := 'mail', priority := 'high', delay_ms := 60000,
                              max_attempts := 7, timeout_ms := 5000, idempotency_key := 'Schlüssel 1', key := 'Mandant 1')`,
    )

    const task = await ledger.reader.get(id)
    assert.ok(task)
    const { type, queue, key, priority, status, maxAttempts, idempotencyKey } = task
    assert.deepEqual(
      [type, queue, key, priority, status, maxAttempts, idempotencyKey],
      ['a.b/c', 'mail', 'Mandant 1', 'high', 'scheduled', 7, 'Schlüssel 1'],
    )
    assert.equal(Date.parse(task.runAt) - Date.parse(task.createdAt), 60_000)
    assert.deepEqual(await ledger.rows('select timeout_ms from tasks'), [[5000]])
    await ledger.assertSound()
  })

  await t.test('takes nulls for what is left out, and runs at once what was due long ago', async () => {
    const id = await value(
      client,
      `select millrace.submit('null', null, null, null, null, null, null, null, null)`,
    )
    const past = await value(client, `select millrace.submit('1', run_at := now() - interval '1 hour')`)

    assert.equal((await ledger.reader.get(id))?.payload, 'null')
    const task = await ledger.reader.get(past)
    assert.ok(task?.status === 'pending' && task.runAt < task.createdAt)
    await ledger.assertSound()
  })

  await t.test('leaves nothing after a rollback, of the transaction or to a savepoint', async () => {
    await client.query(
      `begin; select millrace.submit('1', idempotency_key := 'k'), millrace.submit('2', delay_ms := 9)`,
    )
    await client.query('rollback')
    await client.query(`begin; savepoint s; select millrace.submit_batch('[{"payload":1}]'); rollback to s`)
    const id = await value(client, `select millrace.submit('3')`)
    await client.query('commit')

    assert.deepEqual(await ledger.rows('select id from tasks'), [[id]])
    for (const table of ['schedule', 'batches', 'idempotency_keys'])
      assert.deepEqual(await ledger.rows(`select * from ${table}`), [], table)
    await ledger.assertSound()
  })

  await t.test(
    'an open transaction keeps no worker and no other client waiting',
    { timeout: 15_000 },
    async () => {
      await ledger.submit([aTask()])
      const other = await stranger(t, ledger.url)
      await client.query(`begin; select millrace.submit('1'), millrace.submit_batch('[{"payload":1}]')`)
      await client.query(`select millrace.cancel(id) from millrace.tasks where type = 'plain'`)

      await other.query(`select millrace.submit('1', type := 'plain')`)
      const worker = aWorker()
      const { tasks, packets } = await ledger.claim(worker)
      await ledger.ledger.finish(
        worker.id,
        tasks.map((task) => completed(task)),
        packets.map(({ id }) => id),
      )
      await ledger.upkeep.foldCounters()
      await client.query('commit')

      assert.equal(tasks.length, 2)
      assert.deepEqual(await ledger.rows(`select status, count(*) from tasks group by 1 order by 1`), [
        ['pending', 2],
        ['completed', 2],
      ])
      await ledger.assertSound()
    },
  )

  await t.test('the same key answers the same task, whichever way it came', async () => {
    const viaSql = await value(
      client,
      `select millrace.submit('{"n": 1}', type := 'plain', idempotency_key := 'a')`,
    )
    const again = await value(
      client,
      `select millrace.submit(' {"n": 1} ', type := 'plain', idempotency_key := 'a')`,
    )
    const { keyed: viaHttp } = await ledger.store.submitKeyed([aTask({ idempotencyKey: 'a' })], {
      allOrNothing: false,
      loadOf: keyed,
    })

    assert.equal(again, viaSql)
    assert.deepEqual(viaHttp, [{ id: viaSql, fresh: false, sameBody: true }])
    assert.equal((await refusal(client, `submit('2', idempotency_key := 'a')`)).code, '23505')
    await ledger.assertSound()
  })

  await t.test('a key is worth the same in SQL and in HTTP for every field', async () => {
    const bodies: [Partial<NewTask>, string][] = [
      [{ due: { afterMs: 90 } }, 'delay_ms := 90'],
      [{ due: { at: '2031-01-02T03:04:05.060Z' } }, `run_at := '2031-01-02 03:04:05.0609+00'`],
      [
        { maxAttempts: 4, timeoutMs: 7, priority: 'low' },
        `max_attempts := 4, timeout_ms := 7, priority := 'low'`,
      ],
      [{ key: 'Müller "\\/ & Söhne', priority: 'high' }, `key := 'Müller "\\/ & Söhne', priority := 'high'`],
      [{ callbackUrl: 'https://a.b/"ü"?c=/' }, `callback_url := 'https://a.b/"ü"?c=/'`],
      [{ queue: 'q', payload: '"\\u0000é"' }, `queue := 'q', payload := '"\\u0000é"'`],
    ]
    for (const [i, [wish, fields]] of bodies.entries()) {
      const task = aTask({ idempotencyKey: `k${i}`, ...wish })
      await ledger.store.submitKeyed([task], { allOrNothing: false, loadOf: keyed })
      const payload = fields.includes('payload') ? '' : `payload := '{"n": 1}',`
      const id = await value(
        client,
        `select millrace.submit(${payload} type := 'plain', idempotency_key := 'k${i}', ${fields})`,
      )
      assert.equal(id, task.id, fields)
    }
  })

  await t.test('says what is wrong and what to do', async () => {
    const name = 'x'.repeat(129)
    for (const [call, code, text] of [
      ['submit(null)', '22023', /payload is missing/],
      [`submit('1', type := '')`, '22023', /^type must have 1 to 128 characters/],
      [`submit('1', type := 'a b')`, '22023', /^type/],
      [`submit('1', type := 'millrace.webhook')`, '22023', /^type must not begin with millrace/],
      [`submit('1', queue := '${name}')`, '22023', /^queue/],
      [`submit('1', queue := e'a\\n')`, '22023', /^queue/],
      [`submit('1', priority := 'urgent')`, '22023', /low, normal, high/],
      [`submit('1', delay_ms := -1)`, '22023', /^delay_ms/],
      [`submit('1', delay_ms := 1, run_at := now())`, '22023', /together/],
      [`submit('1', run_at := 'infinity')`, '22023', /^run_at/],
      [`submit('1', run_at := '-infinity')`, '22023', /^run_at/],
      [`submit('1', max_attempts := 0)`, '22023', /^max_attempts/],
      [`submit('1', max_attempts := 101)`, '22023', /^max_attempts/],
      [`submit('1', timeout_ms := 2147483648)`, '22023', /^timeout_ms/],
      [`submit('1', idempotency_key := '')`, '22023', /^idempotency_key/],
      [`submit('1', idempotency_key := e'a\\u0007')`, '22023', /^idempotency_key/],
      [`submit('1', idempotency_key := repeat('é', 256))`, '22023', /^idempotency_key/],
      [`submit('1', key := '')`, '22023', /^key must have 1 to 255 characters/],
      [`submit('1', key := e'a\\u0085')`, '22023', /^key/],
      [`submit('1', key := repeat('é', 256))`, '22023', /^key/],
      [`submit('1', callback_url := 'ftp://a.b')`, '22023', /^callback_url must be an http/],
      [`submit_batch('[{"payload":1,"callbackUrl":""}]')`, '22023', /^tasks\[0\]\.callback_url/],
      [`submit_batch('[{"payload":1}]', 'http://u@a.b')`, '22023', /^callback_url/],
      [`submit(('"' || repeat('x', 1048575) || '"')::json)`, '54000', /1048577 bytes/],
      [`submit((repeat('[', 101) || repeat(']', 101))::json)`, '54000', /deeper than 100/],
      [`submit_batch(null)`, '22023', /array/],
      [`submit_batch('{"tasks":[]}')`, '22023', /array/],
      [`submit_batch('[]')`, '54000', /has 0 tasks/],
      [`submit_batch('[{"payload":1},2]')`, '22023', /^tasks\[1\] must be an object/],
      [`submit_batch('[{}]')`, '22023', /^tasks\[0\]\.payload is missing/],
      [
        `submit_batch('[{"payload":1},{"payload":1,"typ":"x"}]')`,
        '22023',
        /^tasks\[1\]\.typ is not a known field/,
      ],
      [`submit_batch('[{"payload":1,"type":"a","type":"b"}]')`, '22023', /more than once/],
      [`submit_batch('[{"payload":1,"type":7}]')`, '22023', /must be a string/],
      [`submit_batch('[{"payload":1,"delayMs":"7"}]')`, '22023', /must be a whole number/],
      [`submit_batch('[{"payload":1,"delayMs":1,"delay_ms":2}]')`, '22023', /more than once/],
      [`submit_batch('[{"payload":1,"runAt":"tomorrow"}]')`, '22023', /RFC 3339/],
      [`submit_batch('[{"payload":1,"maxAttempts":999999999999}]')`, '22023', /max_attempts/],
      [`submit_batch('[{"payload":1,"priority":"urgent"}]')`, '22023', /^tasks\[0\]\.priority/],
    ] as const) {
      const error = await refusal(client, call)
      assert.equal(error.code, code, call)
      assert.match(error.message, text)
    }
    assert.deepEqual(await ledger.rows('select id from tasks'), [])
  })

  await t.test('calls what HTTP calls, and nothing else', async () => {
    for (const url of [
      ...[
        'http://a',
        'HTTPS://A.b:443/c?d#e',
        'http://a.b:80',
        'http://a:1024?b',
        'http://[::1]:8080/',
        'http://ü.de',
      ],
      ...['http://a:', 'http://127.1/@:', `http://a/${'x'.repeat(2_039)}`, `http://a/${'x'.repeat(2_040)}`],
      ...[
        '',
        'a.b',
        'ftp://a.b',
        'http:a',
        'http:///a',
        'http://',
        'http://?a',
        'http://:80',
        'http://u@a.b',
      ],
      ...[
        'http://u:p@a.b',
        'http://a:22',
        'http://a:65536',
        'http://a:123456',
        'http://a b',
        'http://a\\@b',
        'http://a\n',
      ],
      ...['http://a/ b', 'http://[::1', 'http://a]', 'http://a<b', ' http://a', 'javascript://a.b/%0a'],
    ])
      assert.equal(await value(client, 'select millrace.is_callback_url($1)', [url]), isCallbackUrl(url), url)
  })

  await t.test('writes down who is told of the end, of tasks and of batches', async () => {
    const id = await value(client, `select millrace.submit('1', callback_url := 'http://a.b/1')`)
    const batch = await value(
      client,
      `select millrace.submit_batch('[{"payload":1,"queue":"far"},{"payload":2,"callbackUrl":"http://a.b/2"}]', 'http://a.b/3')`,
    )
    await client.query(`begin; select millrace.submit('1', callback_url := 'http://a.b/4')`)
    await client.query(
      `select millrace.submit_batch('[{"payload":1}]', callback_url := 'http://a.b/5'); rollback`,
    )

    const [, second] = await ledger.rows<[string]>(
      'select id from tasks where batch_id is not null order by id',
    )
    assert.deepEqual(await ledger.rows('select task_id, url, told_at from callbacks order by task_id'), [
      [id, 'http://a.b/1', null],
      [second![0], 'http://a.b/2', null],
    ])
    assert.deepEqual(await ledger.rows('select batch_id, url, queue, told_at from batch_callbacks'), [
      [batch, 'http://a.b/3', 'far', null],
    ])
  })

  await t.test('takes the largest and the deepest payload there may be', async () => {
    await client.query(`select millrace.submit(('"' || repeat('x', 1048574) || '"')::json)`)
    const deep = `${'[{"a":'.repeat(50)}"]]]}}"${'}]'.repeat(50)}`
    const wide = JSON.stringify(Array.from({ length: 5_000 }, () => ({ a: ['\\"[[', {}] })))

    for (const payload of [deep, wide]) {
      const id = await value(client, 'select millrace.submit($1)', [payload])
      assert.equal((await ledger.reader.get(id))?.payload, payload)
    }
    await ledger.assertSound()
  })

  await t.test('is for those to whom it was granted, and gives them nothing else', async () => {
    await client.query('drop role if exists sql_stranger; create role sql_stranger')
    const database = await value(client, 'select current_database()')
    t.after(async () => {
      await client.query(`reset role; drop owned by sql_stranger; drop role sql_stranger`).catch(() => {})
    })
    await client.query(
      `grant temporary on database ${database} to sql_stranger; grant usage on schema millrace to sql_stranger`,
    )
    await client.query('set role sql_stranger')
    await assert.rejects(client.query(`select millrace.submit('1')`), { code: '42501' })
    await client.query('reset role')
    await client.query(
      `grant execute on function millrace.submit, millrace.submit_batch, millrace.cancel to sql_stranger`,
    )
    await client.query('set role sql_stranger')

    // Names of its own, before everything else on its search path, change nothing.
    await client.query(`create temporary table tasks (id int); create temporary table packets (id int)`)
    await client.query('set search_path = pg_temp, public')
    const id = await value(client, `select millrace.submit('1')`)
    assert.equal(await value(client, 'select millrace.cancel($1)', [id]), 'canceled')
    for (const forbidden of [
      'select from millrace.tasks',
      'insert into millrace.at_commit default values',
      `select millrace.store(array[]::millrace.submission[])`,
      `select millrace.cancel_now('${id}')`,
    ])
      await assert.rejects(client.query(forbidden), { code: '42501' }, forbidden)
    await client.query('reset role; set search_path = pg_catalog; drop table pg_temp.tasks, pg_temp.packets')
    assert.equal(await ledger.statusOf(id), 'canceled')
    await ledger.assertSound()
  })
})

test('submitting a batch in SQL', async (t) => {
  const ledger = await ledgerUnderTest(t)
  const client = await stranger(t, ledger.url)
  const batchOf = (tasks: unknown[]) =>
    value(client, 'select millrace.submit_batch($1)', [JSON.stringify(tasks)])

  await t.test('stores the tasks in their order, in packets, as a range of ids', async () => {
    const id = await batchOf(Array.from({ length: 10_000 }, (_, i) => ({ payload: i, queue: `q${i % 2}` })))

    const payloads = await ledger.rows<[string, string]>('select payload, batch_id from tasks order by id')
    assert.deepEqual(
      payloads,
      payloads.map((_, i) => [String(i), id]),
    )
    assert.equal(payloads.length, 10_000)
    const sizes = await ledger.rows(
      'select queue, cardinality(task_ids), count(*) from packets group by 1, 2 order by 1, 2',
    )
    assert.deepEqual(
      sizes,
      [
        ['q0', 62, 80],
        ['q0', 40, 1],
        ['q1', 62, 80],
        ['q1', 40, 1],
      ].sort(),
    )
    const [batch] = await ledger.rows(
      'select id, total, first_id = (select id from tasks order by id limit 1), last_id = (select id from tasks order by id desc limit 1) from batches',
    )
    assert.deepEqual(batch, [id, 10_000, true, true])
    await ledger.assertSound()
  })

  await t.test('takes fields as in HTTP and as in SQL, and numbers as they are written', async () => {
    await batchOf([{ payload: null, maxAttempts: 2, delayMs: 0, idempotency_key: 'k', key: 'a', type: null }])
    await value(
      client,
      `select millrace.submit_batch('[{"payload": {"n":1.0 , "m":1e400}, "runAt":"2031-02-03T04:05:06+01:00"}]')`,
    )

    const tasks = await ledger.rows(
      'select payload, type, max_attempts, idempotency_key, key, status, run_at from tasks order by id',
    )
    assert.deepEqual(tasks, [
      ['null', 'default', 2, 'k', 'a', 'pending', null],
      ['{"n":1.0 , "m":1e400}', 'default', null, null, null, 'scheduled', new Date('2031-02-03T03:05:06Z')],
    ])
    await ledger.assertSound()
  })

  await t.test('repeats nothing when it is sent again with its keys', async () => {
    const tasks = [1, 2, 1].map((payload) => ({ payload, idempotencyKey: `k${payload}` }))
    const first = await batchOf(tasks)
    const again = await batchOf(tasks)
    const more = await batchOf([...tasks, { payload: 3 }])

    assert.equal(again, first)
    assert.notEqual(more, first)
    assert.deepEqual(await ledger.rows('select payload from tasks order by id'), [['1'], ['2'], ['3']])
    assert.deepEqual(await ledger.rows('select total from batches order by id'), [[2], [1]])
    await ledger.assertSound()
  })

  await t.test('gives each living worker its share', async () => {
    await ledger.rows(`insert into workers (id, host, pid, version, queues, types, concurrency)
      select gen_random_uuid(), 'h', 1, '1', '{default}', '{}', c from unnest(array[400, 320]) as c`)
    await batchOf(Array.from({ length: 30 }, () => ({ payload: 1 })))

    assert.deepEqual(await ledger.rows('select cardinality(task_ids) from packets order by id'), [[15], [15]])
    await ledger.assertSound()
  })
})

test('canceling in SQL', async (t) => {
  const ledger = await ledgerUnderTest(t)
  const client = await stranger(t, ledger.url)
  const cancel = (id: string) => value(client, 'select millrace.cancel($1)', [id])

  await t.test('stops what waits, what is due later and what runs', async () => {
    const worker = aWorker()
    const running = await ledger.started(worker)
    const [waiting, later] = [aTask(), aTask({ due: { afterMs: 60_000 } })]
    await ledger.submit([waiting, later])

    for (const { id } of [running, waiting, later]) assert.equal(await cancel(id), 'canceled')

    for (const { id } of [running, waiting, later]) assert.equal(await ledger.statusOf(id), 'canceled')
    await ledger.ledger.finish(worker.id, [completed(running)], [running.packet])
    assert.equal((await ledger.reader.get(running.id))?.result, null)
    assert.equal(await cancel(running.id), 'canceled')
    await ledger.assertSound()
  })

  await t.test('says how a task ended that is over, and null where there is none', async () => {
    const worker = aWorker()
    const task = await ledger.started(worker)
    await ledger.ledger.finish(worker.id, [completed(task)], [task.packet])

    assert.equal(await cancel(task.id), 'completed')
    assert.equal(await cancel('01900000-0000-7000-8000-000000000000'), null)
    assert.equal(await value(client, 'select millrace.cancel(null)'), null)
  })

  await t.test(
    'happens with the commit, also to a task of the same transaction, and not after a rollback',
    async () => {
      const task = aTask()
      await ledger.submit([task])
      await client.query('begin')
      const own = await value(client, `select millrace.submit('1')`)
      await cancel(own)
      await cancel(task.id)
      await client.query('rollback')
      assert.equal(await ledger.statusOf(task.id), 'pending')

      await client.query('begin')
      const again = await value(client, `select millrace.submit('1')`)
      await cancel(again)
      await client.query('commit')
      assert.equal(await ledger.statusOf(again), 'canceled')
      await ledger.assertSound()
    },
  )

  await t.test('tells the worker, and a submission wakes workers, once the transaction commits', async () => {
    const heard: string[] = []
    const listener = await stranger(t, ledger.url)
    listener.on('notification', ({ channel, payload }) => heard.push(`${channel} ${payload}`))
    await listener.query('listen millrace_packets; listen millrace_canceled')
    const running = await ledger.started(aWorker())

    await client.query(`begin; select millrace.submit('1'), millrace.submit('2')`)
    await cancel(running.id)
    await listener.query('select 1')
    assert.deepEqual(heard, [])
    await client.query('commit')

    await until(async () => heard.length >= 2, { what: 'both notices' })
    assert.deepEqual(heard.sort(), [`millrace_canceled ${running.id}:1`, 'millrace_packets sql'])
  })

  await t.test('many at once, submitting and canceling, keep the counts exact', async () => {
    const clients = await Promise.all(Array.from({ length: 6 }, () => stranger(t, ledger.url)))
    await Promise.all(
      clients.map(async (each) => {
        for (let i = 0; i < 25; i++) {
          await each.query('begin')
          const id = await value(each, `select millrace.submit('1', type := 'plain')`)
          if (i % 3 === 0) await each.query('select millrace.cancel($1)', [id])
          await each.query(i % 5 === 0 ? 'rollback' : 'commit')
        }
      }),
    )

    assert.equal((await ledger.rows('select from tasks')).length, 6 * 20)
    await ledger.assertSound()
  })
})
