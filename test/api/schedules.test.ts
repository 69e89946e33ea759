import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { LightMyRequestResponse } from 'fastify'
import { TaskError } from '../../src/domain/errors.ts'
import type { ScheduleDefinition } from '../../src/domain/schedule.ts'
import { apiWith, aSchedule, taskOf } from './api-under-test.ts'
import { assertProblem, faultsOf } from './problem-check.ts'

async function schedulesApi(t: TestContext) {
  const put: ScheduleDefinition[] = []
  const { app } = await apiWith(t, {
    putSchedule: async (definition) => {
      put.push(definition)
      return { schedule: { ...aSchedule, ...definition }, created: put.length === 1 }
    },
    getSchedule: async (name) => {
      throw new TaskError('schedule-not-found', `there is no schedule '${name}'`)
    },
  })
  const send = (body: string | object, name = 'report'): Promise<LightMyRequestResponse> =>
    app.inject({
      method: 'PUT',
      url: `/schedules/${name}`,
      headers: { 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  return { app, put, send }
}

const task = { payload: 1 }

describe('PUT /schedules/{name}', () => {
  it('takes a rule and a task, the payload to the letter, and says whether it is new', async (t) => {
    const { put, send } = await schedulesApi(t)
    const body = `{"cron":"0 9 * * *","timeZone":"Asia/Tokyo","catchUp":"all",
      "task":{"type":"a","queue":"q","priority":"high","maxAttempts":5,"timeoutMs":9,"payload":{"b":1.0, "a":1e400}}}`

    const created = await send(body)
    const replaced = await send({ cron: '@daily', task: { payload: null } })

    assert.deepEqual([created.statusCode, replaced.statusCode], [201, 200])
    assert.ok(created.body.includes('"payload":{"b":1.0, "a":1e400}'), created.body)
    const fields = { type: 'a', queue: 'q', priority: 'high', maxAttempts: 5, timeoutMs: 9 }
    assert.deepEqual(put, [
      {
        name: 'report',
        cron: '0 9 * * *',
        timeZone: 'Asia/Tokyo',
        catchUp: 'all',
        task: { payload: '{"b":1.0, "a":1e400}', ...fields },
      },
      {
        name: 'report',
        cron: '@daily',
        timeZone: 'UTC',
        catchUp: 'latest',
        task: { payload: 'null', type: 'default', queue: 'default', priority: 'normal' },
      },
    ])
  })

  it('tells everything that is wrong at once, each at its place', async (t) => {
    const { send, put } = await schedulesApi(t)
    const cases: [string | object, string[]][] = [
      [{}, ['#/cron', '#/task']],
      [[], ['#']],
      [{ cron: 5, timeZone: '', catchUp: 'some', task: 1 }, ['#/cron', '#/timeZone', '#/catchUp', '#/task']],
      [{ cron: '@daily', task: {} }, ['#/task/payload']],
      [
        { cron: '@daily', task: { payload: 1, runAt: 'x', delayMs: 5, idempotencyKey: 'k' } },
        ['#/task/delayMs', '#/task/runAt', '#/task/idempotencyKey'],
      ],
      [
        { cron: '@daily', task: { payload: 1, priorty: 'high', queue: '' } },
        ['#/task/priorty', '#/task/queue'],
      ],
      [{ cron: '@daily', timezone: 'UTC', task }, ['#/timezone']],
      ['{"cron":"@daily","cron":"@hourly","task":{"payload":1},"task":{"payload":2}}', ['#/cron', '#/task']],
      [`{"cron":"@daily","task":{"payload":"${'x'.repeat(1024 * 1024)}"}}`, ['#/task/payload']],
    ]
    for (const [body, places] of cases)
      assert.deepEqual(faultsOf(await send(body)), places, JSON.stringify(body).slice(0, 200))
    assert.deepEqual(put, [])
  })

  it('suggests the name that was probably meant', async (t) => {
    const { send } = await schedulesApi(t)
    const { detail } = assertProblem(await send({ cron: '@daily', timezone: 'UTC', task }), 'invalid-request')
    assert.match(detail, /did you mean 'timeZone'/)
  })

  it('tells what is wrong with a rule', async (t) => {
    const { app } = await apiWith(t, { putSchedule: async () => ({ field: 'cron', detail: 'never comes' }) })
    const reply = await app.inject({
      method: 'PUT',
      url: '/schedules/a',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ cron: '0 0 30 2 *', task }),
    })
    assert.deepEqual(faultsOf(reply), ['#/cron'])
  })

  it('refuses bodies that are none, and names that are none', async (t) => {
    const { send } = await schedulesApi(t)
    assertProblem(await send(''), 'empty-body')
    assertProblem(await send('{"cron":'), 'malformed-json')
    assertProblem(await send(`{"cron":"@daily","task":{"payload":1}} x`), 'malformed-json')
    for (const name of ['a%20b', 'a%2Fb', '.a', '-a', 'ü', 'x'.repeat(129), '%00'])
      assert.deepEqual(faultsOf(await send({ cron: '@daily', task }, name)), ['name'], name)
    assertProblem(await send({ cron: '@daily', task }, ''), 'route-not-found')
  })
})

describe('schedules', () => {
  it('are shown with the times that come next', async (t) => {
    const { app } = await apiWith(t)
    const shown = (await app.inject('/schedules/report')).body
    assert.ok(shown.includes('"payload":{"b":1.0, "a":1e400}'), shown)
    const { nextAt: _, task: _task, ...rest } = aSchedule
    const { task, ...others } = JSON.parse(shown)
    assert.deepEqual(others, rest)
    assert.equal(task.type, 'report')
  })

  it('are listed by name in pages, without payloads', async (t) => {
    const names = ['a', 'b', 'c']
    const { app } = await apiWith(t, {
      listSchedules: async ({ limit, after = '' }) =>
        names
          .filter((name) => name > after)
          .slice(0, limit)
          .map((name) => ({ ...aSchedule, name })),
    })
    const first = (await app.inject('/schedules?limit=2')).json()
    const second = (await app.inject(`/schedules?limit=2&cursor=${first.page.next}`)).json()

    assert.deepEqual(
      first.data.map(({ name }: { name: string }) => name),
      ['a', 'b'],
    )
    assert.deepEqual(
      second.data.map(({ name }: { name: string }) => name),
      ['c'],
    )
    assert.equal(second.page.next, null)
    assert.ok(!('payload' in first.data[0].task))
    assertProblem(await app.inject('/schedules?cursor=nonsense'), 'bad-cursor')
    assert.deepEqual(faultsOf(await app.inject('/schedules?limit=0&x=1')), ['x', 'limit'])
  })

  it('that are not there are 404', async (t) => {
    const { app } = await schedulesApi(t)
    const { detail } = assertProblem(await app.inject('/schedules/nobody'), 'schedule-not-found')
    assert.equal(detail, "there is no schedule 'nobody'")
  })

  it('are paused, resumed and deleted by requests without a body', async (t) => {
    const { app } = await apiWith(t)
    const pause = await app.inject({ method: 'POST', url: '/schedules/a/pause' })
    assert.deepEqual([pause.json().paused, pause.json().nextRuns], [true, []])
    assert.equal((await app.inject({ method: 'POST', url: '/schedules/a/resume' })).json().paused, false)
    assert.equal((await app.inject({ method: 'DELETE', url: '/schedules/a' })).json().name, 'a')
    for (const [method, url] of [
      ['POST', '/schedules/a/pause'],
      ['POST', '/schedules/a/run'],
      ['DELETE', '/schedules/a'],
    ] as const) {
      const headers = { 'content-type': 'application/json' }
      assertProblem(await app.inject({ method, url, headers, body: '{"a":1}' }), 'invalid-request')
      assert.deepEqual(faultsOf(await app.inject({ method, url: `${url}?x=1` })), ['x'])
    }
  })

  it('are run by hand once for each idempotency key', async (t) => {
    const known = new Map<string | undefined, ReturnType<typeof taskOf>>()
    const { app } = await apiWith(t, {
      runSchedule: async (_name, key) => {
        const replayed = known.has(key)
        if (!replayed) known.set(key, taskOf({}))
        return { task: known.get(key)!, replayed }
      },
    })
    const run = (key: string) =>
      app.inject({ method: 'POST', url: '/schedules/a/run', headers: { 'idempotency-key': key } })

    const [first, again] = [await run('k'), await run('k')]

    assert.equal(first.statusCode, 201)
    assert.equal(first.headers.location, `/tasks/${first.json().id}`)
    assert.deepEqual([again.statusCode, again.headers['idempotent-replayed']], [200, 'true'])
    assert.deepEqual(faultsOf(await run('a\u0001')), ['Idempotency-Key'])
  })
})
