import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { cursorOf, upwardCursorOf } from '../../src/api/cursor.ts'
import { StoreUnavailableError, TaskError } from '../../src/domain/errors.ts'
import { lowestIdAt } from '../../src/domain/id.ts'
import type { TaskFilter, TaskPage } from '../../src/domain/ports.ts'
import type { TaskSummary } from '../../src/domain/task.ts'
import { apiWith, detailOf, taskOf } from './api-under-test.ts'
import { assertProblem, faultsOf } from './problem-check.ts'

const id = '019a5f0e-6f3c-7a41-9c55-3b1f0a7d2e10'

describe('GET /tasks/{id}', () => {
  it('gives payload, result, error and history as the texts that they are', async (t) => {
    const error = '{"name":"Error","message":"\\u0000", "attempt":1}'
    const finishedAt = '2030-01-31T09:00:01.000Z'
    const past = { attempt: 1, error, startedAt: null, finishedAt, workerId: 'w-"1"' }
    const task = taskOf(
      { payload: '{"b":1.0, "a":1e400}' },
      { id, result: '12345678901234567890', error, workerId: 'w-"0"' },
    )
    const { app } = await apiWith(t, { getTask: async () => detailOf(task, [past]) })
    const response = await app.inject(`/tasks/${id}`)

    assert.equal(response.statusCode, 200)
    assert.equal(response.json().workerId, 'w-"0"')
    assert.ok(response.body.includes('"payload":{"b":1.0, "a":1e400},"result":12345678901234567890,'))
    assert.ok(response.body.includes(`"error":${error},"attempt":0`))
    const [attempt] = response.json().attempts
    assert.deepEqual(Object.keys(attempt), ['attempt', 'error', 'startedAt', 'finishedAt', 'workerId'])
    assert.equal(attempt.workerId, 'w-"1"')
  })

  it('takes an id in capitals', async (t) => {
    const asked: string[] = []
    const { app } = await apiWith(t, {
      getTask: async (id) => {
        asked.push(id)
        return detailOf(taskOf({}, { id }))
      },
    })
    assert.equal((await app.inject(`/tasks/${id.toUpperCase()}`)).statusCode, 200)
    assert.deepEqual(asked, [id])
  })

  for (const bad of ['7', 'abc', `${id}0`, id.slice(1), '%00', 'x'.repeat(900), '{id}', `${id}%20`])
    it(`answers 422 to ${bad.slice(0, 40)}, which is no UUID`, async (t) => {
      const { app } = await apiWith(t)
      for (const [method, url] of [
        ['GET', `/tasks/${bad}`],
        ['DELETE', `/tasks/${bad}`],
        ['POST', `/tasks/${bad}/cancel`],
        ['POST', `/tasks/${bad}/retry`],
      ] as const)
        assert.deepEqual(faultsOf(await app.inject({ method, url })), ['id'])
    })

  it('answers 404 for a task that does not exist', async (t) => {
    const missing = async () => {
      throw new TaskError('task-not-found', `there is no task ${id}`)
    }
    const { app } = await apiWith(t, {
      getTask: missing,
      awaitTask: missing,
      cancelTask: missing,
      retryTask: missing,
    })
    assertProblem(await app.inject(`/tasks/${id}`), 'task-not-found')
    assertProblem(await app.inject(`/tasks/${id}?wait=1`), 'task-not-found')
    assertProblem(await app.inject({ method: 'POST', url: `/tasks/${id}/cancel` }), 'task-not-found')
    assertProblem(await app.inject({ method: 'POST', url: `/tasks/${id}/retry` }), 'task-not-found')
  })

  it('waits for as long as it is asked to, at most a minute', async (t) => {
    const waits: number[] = []
    const { app } = await apiWith(t, {
      awaitTask: async (id, waitMs) => {
        waits.push(waitMs)
        return detailOf(taskOf({}, { id, status: 'completed' }))
      },
    })
    for (const wait of ['1', '0.25', '60', '60.0', '05'])
      assert.equal((await app.inject(`/tasks/${id}?wait=${wait}`)).json().status, 'completed')
    assert.deepEqual(waits, [1000, 250, 60_000, 60_000, 5000])
    assert.equal((await app.inject(`/tasks/${id}?wait=0`)).json().status, 'pending')
    for (const wait of ['', '-1', '61', '60.1', '1e1', 'x', 'NaN', '0x1', '+1', '1&wait=2'])
      assert.deepEqual(faultsOf(await app.inject(`/tasks/${id}?wait=${wait}`)), ['wait'])
  })

  it('ends the wait when the client leaves', { timeout: 10_000 }, async (t) => {
    const left = Promise.withResolvers<void>()
    const asked = Promise.withResolvers<void>()
    const { app } = await apiWith(t, {
      awaitTask: async (id, _waitMs, signal) => {
        signal.addEventListener('abort', () => left.resolve())
        asked.resolve()
        await left.promise
        return detailOf(taskOf({}, { id }))
      },
    })
    const origin = await app.listen({ port: 0, host: '127.0.0.1' })
    const client = new AbortController()
    const answer = fetch(`${origin}/tasks/${id}?wait=60`, { signal: client.signal })
    await asked.promise
    client.abort()
    await assert.rejects(answer)
    await left.promise
  })

  it('ends the wait with the state of the task when the server closes', { timeout: 10_000 }, async (t) => {
    const asked = Promise.withResolvers<void>()
    const { app } = await apiWith(t, {
      awaitTask: async (id, _waitMs, signal) => {
        asked.resolve()
        if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve))
        return detailOf(taskOf({}, { id, status: 'processing' }))
      },
    })
    const origin = await app.listen({ port: 0, host: '127.0.0.1' })
    const answer = fetch(`${origin}/tasks/${id}?wait=60`)
    await asked.promise
    await app.close()
    const response = await answer
    assert.equal(response.status, 200)
    assert.match(await response.text(), /"status":"processing"/)
  })
})

describe('cancel and retry', () => {
  const routes = [
    ['POST', `/tasks/${id}/cancel`, 'canceled'],
    ['DELETE', `/tasks/${id}`, 'canceled'],
    ['POST', `/tasks/${id}/retry`, 'pending'],
  ] as const

  for (const [method, url, status] of routes) {
    it(`answers ${method} ${url.replace(id, '{id}')} with the task, with an empty body of any kind`, async (t) => {
      const { app } = await apiWith(t)
      for (const type of [undefined, 'application/json', 'application/x-www-form-urlencoded', 'text/plain']) {
        const headers = type === undefined ? {} : { 'content-type': type }
        const response = await app.inject({ method, url, headers })
        assert.equal(response.statusCode, 200, response.body)
        assert.equal(response.json().status, status)
        assert.deepEqual(response.json().attempts, [])
      }
      const headers = { 'content-type': 'application/json' }
      for (const body of ['{}', ' null '])
        assert.equal((await app.inject({ method, url, headers, body })).statusCode, 200)
      assertProblem(await app.inject({ method, url, headers, body: '{"reason":"x"}' }), 'invalid-request')
      assertProblem(await app.inject({ method, url: `${url}?force=1` }), 'invalid-request')
    })
  }

  it('answers 409 with the task when its status does not allow it', async (t) => {
    const task = detailOf(taskOf({ payload: '1.0' }, { id, status: 'completed', result: '2.0' }))
    const { app } = await apiWith(t, {
      cancelTask: async () => {
        throw new TaskError('task-not-cancelable', `task ${id} is completed`, { task })
      },
      retryTask: async () => {
        throw new TaskError('task-not-retryable', `task ${id} is completed`, { task })
      },
    })
    const shown = (await app.inject(`/tasks/${id}`)).json()
    for (const [method, url, status] of routes) {
      const response = await app.inject({ method, url })
      const code = status === 'canceled' ? 'task-not-cancelable' : 'task-not-retryable'
      assert.deepEqual(assertProblem(response, code).task, {
        ...shown,
        status: 'completed',
        payload: 1,
        result: 2,
      })
      assert.ok(response.body.includes('"payload":1.0,"result":2.0,'))
    }
  })

  it('answers 503 while the database is away', async (t) => {
    const away = async () => {
      throw new StoreUnavailableError(new Error('gone'))
    }
    const { app } = await apiWith(t, { cancelTask: away, retryTask: away, getTask: away, listTasks: away })
    for (const [method, url] of [...routes, ['GET', `/tasks/${id}`], ['GET', '/tasks']] as const)
      assertProblem(await app.inject({ method, url }), 'store-unavailable')
  })
})

describe('GET /tasks', () => {
  async function listing(t: Parameters<typeof apiWith>[0], page: Partial<TaskPage> = {}) {
    const filters: TaskFilter[] = []
    const { app } = await apiWith(t, {
      listTasks: async (filter) => {
        filters.push(filter)
        return { tasks: [], next: null, prev: null, searchedTo: null, ...page }
      },
    })
    return { app, filters }
  }

  it('asks for 50 rows without payload and result', async (t) => {
    const { app, filters } = await listing(t)
    const response = await app.inject('/tasks')
    assert.deepEqual(response.json(), { data: [], page: { next: null, prev: null } })
    assert.deepEqual(filters, [{ limit: 50, include: { payload: false, result: false } }])
  })

  it('hands on every filter', async (t) => {
    const { app, filters } = await listing(t)
    const times = 'createdAfter=2030-01-01T01:00:00%2B01:00&createdBefore=2030-01-02T00:00:00Z'
    const names = `type=a%2Fb&queue=q&batchId=${id.toUpperCase()}`
    await app.inject(
      `/tasks?status=failed,canceled,failed&${names}&${times}&limit=200&cursor=${cursorOf(id)}&include=result,payload`,
    )
    assert.deepEqual(filters, [
      {
        status: ['failed', 'canceled'],
        type: 'a/b',
        queue: 'q',
        batchId: id,
        createdAfter: '2030-01-01T00:00:00.000Z',
        createdBefore: '2030-01-02T00:00:00.000Z',
        limit: 200,
        before: id,
        include: { payload: true, result: true },
      },
    ])
  })

  it('hands on what else may be asked for', async (t) => {
    const { app, filters } = await listing(t)
    const usual = { limit: 50, include: { payload: false, result: false } }
    for (const [query, filter] of [
      ['age=%3C1h&type=email.*', { youngerThanMs: 3_600_000, type: 'email.*' }],
      ['age=>2d', { olderThanMs: 172_800_000 }],
      ['fingerprint=0123456789abcdef&key=%C3%A9', { fingerprint: '0123456789abcdef', key: 'é' }],
      [`workerId=${id.toUpperCase()}`, { workerId: id }],
      [`ids=${id},${id.toUpperCase()}`, { ids: [id] }],
      ['at=2030-01-01T00:00:00Z', { before: lowestIdAt(Date.UTC(2030, 0, 1) + 1) }],
      [`cursor=${upwardCursorOf(id)}`, { after: id }],
    ] as const) {
      assert.equal((await app.inject(`/tasks?${query}`)).statusCode, 200, query)
      assert.deepEqual(filters.pop(), { ...usual, ...filter }, query)
    }
  })

  it('leads back to newer pages, and cuts those that are too heavy where they are newest', async (t) => {
    const tasks = Array.from({ length: 20 }, () =>
      taskOf({ payload: `"${'a'.repeat(1024 * 1024)}"` }),
    ).reverse()
    const { app, filters } = await listing(t, { tasks, next: id, prev: id })
    const { data, page } = (await app.inject(`/tasks?include=payload&cursor=${upwardCursorOf(id)}`)).json()
    assert.deepEqual(
      data.map((row: { id: string }) => row.id),
      tasks.slice(5).map((task) => task.id),
    )
    await app.inject(`/tasks?cursor=${page.prev}`)
    await app.inject(`/tasks?cursor=${page.next}`)
    assert.deepEqual([filters[1]?.after, filters[2]?.before], [tasks[5]!.id, id])
  })

  it('leads from page to page', async (t) => {
    const { app, filters } = await listing(t, { next: id, searchedTo: id })
    const { page } = (await app.inject('/tasks')).json()
    assert.deepEqual(Object.keys(page), ['next', 'prev', 'searchedTo'])
    await app.inject(`/tasks?cursor=${page.next}`)
    assert.equal(filters[1]?.before, id)
  })

  const bad: [query: string, ...parameters: string[]][] = [
    ['status=done', 'status'],
    ['status=', 'status'],
    ['status=failed,', 'status'],
    ['status=failed&status=pending', 'status'],
    ['status=toString', 'status'],
    ['type=', 'type'],
    ['type=a%20b', 'type'],
    ['type=%00', 'type'],
    ['type=a*b', 'type'],
    ['type=**', 'type'],
    ['key=', 'key'],
    ['key=%00', 'key'],
    [`key=${'k'.repeat(256)}`, 'key'],
    ['age=1h', 'age'],
    ['age=<1w', 'age'],
    ['age=<999999999d', 'age'],
    ['fingerprint=xyz', 'fingerprint'],
    ['workerId=me', 'workerId'],
    ['ids=', 'ids'],
    [`ids=${id},7`, 'ids'],
    [`ids=${Array(201).fill(id).join()}`, 'ids'],
    [`ids=${id}&limit=7`, 'ids'],
    ['at=now', 'at'],
    [`at=2030-01-01T00:00:00Z&cursor=${cursorOf(id)}`, 'at'],
    ['type=%ff', 'type'],
    [`queue=${'q'.repeat(129)}`, 'queue'],
    ['batchId=7', 'batchId'],
    ['createdAfter=yesterday', 'createdAfter'],
    ['createdBefore=2030-02-30T00:00:00Z', 'createdBefore'],
    ['limit=0', 'limit'],
    ['limit=201', 'limit'],
    ['limit=1.5', 'limit'],
    ['limit=ten', 'limit'],
    ['limit=', 'limit'],
    ['include=error', 'include'],
    ['stauts=failed&offset=7&limit=0', 'stauts', 'offset', 'limit'],
    ['__proto__=1', '__proto__'],
    ['=1', ''],
  ]
  for (const [query, ...parameters] of bad)
    it(`answers 422 to ?${query.slice(0, 60)}`, async (t) => {
      const { app, filters } = await listing(t)
      assert.deepEqual(faultsOf(await app.inject(`/tasks?${query}`)), parameters)
      assert.deepEqual(filters, [])
    })

  it('asks whether stauts meant status', async (t) => {
    const { app } = await listing(t)
    assert.match((await app.inject('/tasks?stauts=failed')).body, /did you mean 'status'\?/)
  })

  const ours = cursorOf(id)
  const oldVersion = Buffer.from(`v0:${id}`).toString('base64url')
  for (const cursor of [
    '',
    cursorOf(`up:up:${id}`),
    cursorOf(`down:${id}`),
    'x',
    id,
    ours.slice(1),
    `${ours}A`,
    `${ours}==`,
    `${ours}%00`,
    oldVersion,
    '%F0%9F%98%80',
  ])
    it(`answers 400 to the cursor ${JSON.stringify(cursor)}`, async (t) => {
      const { app } = await listing(t)
      assertProblem(await app.inject(`/tasks?cursor=${cursor}`), 'bad-cursor')
    })

  it('gives rows as the texts that they are, and only what was asked for', async (t) => {
    const full = taskOf({ payload: '1.0' }, { result: '2.0' })
    const { payload, result, ...bare }: TaskSummary = full
    const { app } = await listing(t, { tasks: [full, bare, { ...bare, result: null }] })
    const response = await app.inject('/tasks?include=payload,result')
    assert.ok(response.body.includes('"payload":1.0,"result":2.0,'))
    const rows: object[] = response.json().data
    assert.deepEqual(
      rows.map((row) => ['payload' in row, 'result' in row]),
      [
        [true, true],
        [false, false],
        [false, true],
      ],
    )
  })

  it('ends a page early rather than make it larger than 16 MiB, and goes on from there', async (t) => {
    const tasks = Array.from({ length: 20 }, () => taskOf({ payload: `"${'a'.repeat(1024 * 1024)}"` }))
    const { app, filters } = await listing(t, { tasks, next: id })
    const { data, page } = (await app.inject('/tasks?include=payload')).json()
    assert.equal(data.length, 15)
    await app.inject(`/tasks?cursor=${page.next}`)
    assert.equal(filters[1]?.before, tasks[14]!.id)
  })
})
