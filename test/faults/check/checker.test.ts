import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClientLine, HandlerLine, RigLine } from '../system/ledger.ts'
import { check, sentence } from './checker.ts'
import type { Evidence, Guilt, Promised, Tally } from './evidence.ts'
import type { Snapshot, TaskRow } from './snapshot.ts'

// Runs as they could have been. What breaks a promise must be found, what only looks like it must not.

const id = 'task-1'
const leaseMs = 15_000
const guilty: Record<string, Guilt> = {
  flaky: { failures: 1, ends: 'completed' },
  doomed: { failures: 1, ends: 'failed' },
  exits: { failures: 3, ends: 'failed', error: 'WorkerLostError' },
}

test('a task that was accepted, run once and completed keeps every promise', () => {
  const { violations, figures } = check(run({}))

  assert.deepEqual(violations, [])
  assert.equal(figures.tasks, 1)
  assert.equal(figures.starts, 1)
})

const broken: Record<string, { run: Wish; promise: Promised; tally?: Tally }> = {
  'an accepted task that is not stored': {
    run: { rows: [], kept: [] },
    promise: '1 an accepted task survives',
    tally: 'lost',
  },
  'a task that is still waiting at the end': {
    run: {
      rows: [row({ status: 'pending', hasResult: false, resultAttempt: null, attempt: 0 })],
      handlers: [],
    },
    promise: '2 every task becomes final',
    tally: 'lost',
  },
  'a packet that is left at the end': {
    run: { packets: [{ id: '7', heldBy: null }] },
    promise: '2 every task becomes final',
  },
  'a completed task that fails later': {
    run: {
      client: [submitted(), read(500, 'completed')],
      rows: [failedRow({ type: 'doomed' })],
      failedAttempts: [{ id, attempt: 1, at: 600 }],
    },
    promise: '3 a final status stays, with one outcome',
    tally: 'doubleCompleted',
  },
  'a failed task that completes without a retry': {
    run: {
      client: [submitted(), read(500, 'failed')],
      handlers: [...attempt(1, 100, 200), ...attempt(2, 600, 700)],
      rows: [row({ type: 'doomed', attempt: 2, resultAttempt: 2 })],
    },
    promise: '3 a final status stays, with one outcome',
    tally: 'doubleCompleted',
  },
  'a failed task that completes though only a retry before that was asked for': {
    run: {
      client: [submitted(), retried(300), read(500, 'failed')],
      rows: [row({ type: 'doomed' })],
    },
    promise: '3 a final status stays, with one outcome',
    tally: 'doubleCompleted',
  },
  'a handler that starts after the task was completed': {
    run: {
      client: [submitted(), read(500, 'completed')],
      handlers: [...attempt(1, 100, 200), ...attempt(2, 600, 700)],
    },
    promise: '3 a final status stays, with one outcome',
  },
  'two outcomes of one attempt': {
    run: { failedAttempts: [{ id, attempt: 1, at: 200 }], rows: [row({ type: 'flaky', failures: 1 })] },
    promise: '3 a final status stays, with one outcome',
    tally: 'doubleCompleted',
  },
  'the result of an attempt that had been given up': {
    run: {
      handlers: [...attempt(1, 100, 900), ...attempt(2, 300, 950)],
      rig: [struck({ at: 150, until: 400 })],
      rows: [row({ attempt: 2, resultAttempt: 1 })],
    },
    promise: '3 a final status stays, with one outcome',
    tally: 'doubleCompleted',
  },
  'the failure of an attempt that had been given up': {
    run: { rows: [failedRow({ type: 'doomed', attempt: 2 })], failedAttempts: [{ id, attempt: 1, at: 200 }] },
    promise: '3 a final status stays, with one outcome',
    tally: 'doubleCompleted',
  },
  'a result that no handler made': {
    run: { handlers: attempt(1, 100) },
    promise: '3 a final status stays, with one outcome',
  },
  'an attempt that starts twice': {
    run: { handlers: [...attempt(1, 100, 200), ...attempt(1, 101, 201, 'worker-2')] },
    promise: '3 a final status stays, with one outcome',
  },
  'an attempt that nobody has claimed': {
    run: {
      handlers: [...attempt(1, 100, 200), ...attempt(2, 150, 190)],
      rig: [struck({ at: 100, until: 200 })],
    },
    promise: '3 a final status stays, with one outcome',
  },
  'more failures than allowed': {
    run: {
      rows: [
        failedRow({ type: 'exits', attempt: 3, failures: 3, maxAttempts: 2, errorName: 'WorkerLostError' }),
      ],
      handlers: [...attempt(1, 100), ...attempt(2, 200), ...attempt(3, 300)],
      failedAttempts: [1, 2, 3].map((attempt) => ({ id, attempt, at: attempt * 100 + 50 })),
    },
    promise: '3 a final status stays, with one outcome',
  },
  'a failure that is counted and not remembered': {
    run: { rows: [row({ failures: 1, type: 'flaky' })] },
    promise: '3 a final status stays, with one outcome',
  },
  'a cancellation that is answered with another status': {
    run: { client: [submitted(), { ...canceled(500), taskStatus: 'processing' }] },
    promise: '4 nothing starts or is stored after a cancellation',
  },
  'a task that is canceled though nobody asked': {
    run: { rows: [canceledRow()] },
    promise: '4 nothing starts or is stored after a cancellation',
  },
  'a result that is stored after the cancellation was answered': {
    run: { client: [submitted(), canceled(500)] },
    promise: '4 nothing starts or is stored after a cancellation',
    tally: 'lateResults',
  },
  'a failure that is stored after the cancellation was answered': {
    run: {
      client: [submitted(), canceled(500)],
      rows: [canceledRow({ type: 'doomed', failures: 1 })],
      failedAttempts: [{ id, attempt: 1, at: 600 }],
    },
    promise: '4 nothing starts or is stored after a cancellation',
    tally: 'lateResults',
  },
  'a handler that starts after the cancellation was answered': {
    run: {
      client: [submitted(), { ...canceled(500), attempt: 0 }],
      handlers: attempt(1, 600, 700),
      rows: [canceledRow()],
    },
    promise: '4 nothing starts or is stored after a cancellation',
    tally: 'startsAfterCancel',
  },
  'a handler that starts long after the cancellation of what it had claimed': {
    run: { client: [submitted(), canceled(500)], handlers: attempt(1, 1_600, 1_700), rows: [canceledRow()] },
    promise: '4 nothing starts or is stored after a cancellation',
    tally: 'startsAfterCancel',
  },
  'counters that are off by one': {
    run: { kept: [{ queue: 'default', type: 'quick', status: 'completed', n: 2 }] },
    promise: '5 counts are exact',
  },
  'counters of a status that no task has': {
    run: { kept: [...keptOf([row()]), { queue: 'default', type: 'quick', status: 'processing', n: -1 }] },
    promise: '5 counts are exact',
  },
  'a canceled task that is not listed': {
    run: { client: [submitted(), canceled(50)], rows: [canceledRow()], handlers: [], stopped: [] },
    promise: '5 counts are exact',
  },
  'counters of a batch that are off by one': {
    run: { batches: [batch({ kept: 'completed 3' })] },
    promise: '5 counts are exact',
  },
  'a batch that is never finished': {
    run: { batches: [batch({ isFinished: false })] },
    promise: '5 counts are exact',
  },
  'what comes after a batch, coming twice': {
    run: { batches: [batch({ thens: 2 })] },
    promise: 'what comes after a batch comes once',
  },
  'what comes after a batch, not coming': {
    run: { batches: [batch({ thens: 0 })] },
    promise: 'what comes after a batch comes once',
  },
  'an end of which nobody was told': {
    run: {
      client: [submitted({ called: [id, 'batch-1'] })],
      rig: [{ what: 'told', at: 500, id: 'batch-1' }],
    },
    promise: 'who is to be told of an end is told',
  },
  'one key that is answered with two tasks': {
    run: {
      client: [submitted({ key: 'k' }), submitted({ key: 'k', ids: ['task-2'] })],
      rows: [row({ key: 'k' }), row({ id: 'task-2' })],
      handlers: [...attempt(1, 100, 200), ...attempt(1, 100, 200, 'worker-1', 'task-2')],
    },
    promise: '6 every statement may be repeated',
  },
  'two tasks with one key': {
    run: {
      rows: [row({ key: 'k' }), row({ id: 'task-2', key: 'k' })],
      handlers: [...attempt(1, 100, 200), ...attempt(1, 100, 200, 'worker-1', 'task-2')],
    },
    promise: '6 every statement may be repeated',
  },
  'a submission that is stored twice': {
    run: {
      rows: [row({ mark: 'm' }), row({ id: 'task-2', mark: 'm' })],
      handlers: [...attempt(1, 100, 200), ...attempt(1, 100, 200, 'worker-1', 'task-2')],
    },
    promise: '6 every statement may be repeated',
  },
  'a key that is kept for another task': {
    run: { rows: [row({ key: 'k' })], keys: [{ key: 'k', id: 'task-2' }] },
    promise: '6 every statement may be repeated',
  },
  'an innocent task that failed': {
    run: { rows: [failedRow()], failedAttempts: [{ id, attempt: 1, at: 200 }] },
    promise: '7 who kills its process fails alone',
    tally: 'innocentsFailed',
  },
  'an innocent task that was told to have failed and completed later': {
    run: {
      handlers: [...attempt(1, 100), ...attempt(2, 300, 400)],
      rows: [row({ attempt: 2, resultAttempt: 2, failures: 1 })],
      failedAttempts: [{ id, attempt: 1, at: 200 }],
    },
    promise: '7 who kills its process fails alone',
    tally: 'innocentsFailed',
  },
  'a task that kills its process and ends without saying so': {
    run: { rows: [failedRow({ type: 'exits' })], failedAttempts: [{ id, attempt: 1, at: 200 }] },
    promise: '7 who kills its process fails alone',
  },
  'a task that cannot complete and did': {
    run: { rows: [row({ type: 'doomed' })] },
    promise: '7 who kills its process fails alone',
  },
  'a 500': {
    run: { client: [submitted(), refused({ status: 500 })], rig: [struck({ effects: ['outage'] })] },
    promise: '8 in an outage clients wait and processes stay',
  },
  'a 503 without Retry-After': {
    run: { client: [submitted(), refused({ status: 503 })], rig: [struck({ effects: ['outage'] })] },
    promise: '8 in an outage clients wait and processes stay',
  },
  'a 503 without an outage': {
    run: { client: [submitted(), refused({ status: 503, retryAfter: '1' })] },
    promise: '8 in an outage clients wait and processes stay',
  },
  'a 503 long after the outage': {
    run: {
      client: [submitted(), refused({ status: 503, retryAfter: '1', sentAt: 60_000, at: 60_001 })],
      rig: [struck({ effects: ['outage'], at: 100, until: 200 })],
    },
    promise: '8 in an outage clients wait and processes stay',
  },
  'a request without an answer though nothing was wrong': {
    run: { client: [submitted(), refused({ status: 0 })] },
    promise: '8 in an outage clients wait and processes stay',
  },
  'a valid request that is refused': {
    run: { client: [submitted(), refused({ status: 422 })] },
    promise: '8 in an outage clients wait and processes stay',
  },
  'a process that ends in an outage': {
    run: { rig: [struck({ effects: ['outage', 'restarts'] }), ended()] },
    promise: '8 in an outage clients wait and processes stay',
  },
  'a process that ends when another is killed': {
    run: { rig: [struck({ effects: ['exits'], members: ['worker-2'] }), ended()] },
    promise: '8 in an outage clients wait and processes stay',
  },
  'a task that starts again without a fault': {
    run: twoStarts({}),
    promise: 'a repeated start has a reason',
  },
  'a second start after a retry that explains one': {
    run: {
      client: [submitted(), read(150, 'failed'), { ...retried(200), sentAt: 190, at: 230 }],
      handlers: [...attempt(1, 100), ...attempt(2, 220), ...attempt(3, 300, 400)],
      rows: [row({ type: 'flaky', attempt: 3, resultAttempt: 3 })],
    },
    promise: 'a repeated start has a reason',
  },
  'a task that starts again though the fault struck another worker': {
    run: twoStarts({ rig: [struck({ at: 150, members: ['worker-2'] })] }),
    promise: 'a repeated start has a reason',
  },
  'a task that starts again before the fault': {
    run: twoStarts({ rig: [struck({ at: 400, until: 500 })] }),
    promise: 'a repeated start has a reason',
  },
  'a task that starts again in a fault that does not restart anything': {
    run: twoStarts({ rig: [struck({ at: 150, effects: ['outage'] })] }),
    promise: 'a repeated start has a reason',
  },
}

for (const [name, { run: wish, promise, tally }] of Object.entries(broken)) {
  test(`${name} is found`, () => {
    const { violations, figures } = check(run(wish))

    assert.ok(
      violations.some((violation) => violation.promise === promise && violation.tally === tally),
      `not found: ${promise}; but: ${violations.map(sentence).join('; ') || 'nothing'}`,
    )
    if (tally) assert.equal(figures[tally], 1)
  })
}

const kept: Record<string, Wish> = {
  'a task that was not accepted and yet is stored': { client: [refused({ status: 0 })], rig: [struck({})] },
  'a failure that is followed by the next attempt': {
    handlers: [...attempt(1, 100), ...attempt(2, 300, 400)],
    rows: [row({ type: 'flaky', attempt: 2, resultAttempt: 2, failures: 1 })],
    failedAttempts: [{ id, attempt: 1, at: 200 }],
  },
  'a task whose worker was killed': twoStarts({ rig: [struck({ at: 150 }), ended()] }),
  'a task whose worker was stopped and came back too late': twoStarts({
    rig: [struck({ at: 150, until: 200 })],
    handlers: [...attempt(1, 100, 46_000), ...attempt(2, 16_000, 16_100, 'worker-2')],
  }),
  'a failed task that completes after a retry': {
    client: [submitted(), read(500, 'failed'), retried(550)],
    handlers: [...attempt(1, 100), ...attempt(2, 600, 700)],
    rows: [row({ type: 'flaky', attempt: 2, resultAttempt: 2 })],
    failedAttempts: [{ id, attempt: 1, at: 200 }],
  },
  'a canceled task that completes after a retry without an answer': {
    client: [submitted(), canceled(500), refused({ status: 0, request: 'retry', id, sentAt: 520, at: 900 })],
    handlers: attempt(1, 1600, 1700),
    rig: [struck({ at: 510 })],
  },
  'a canceled task that completes after a retry whose repeat was refused': {
    client: [submitted(), canceled(500), { ...retried(550), status: 409, taskStatus: 'processing' }],
    handlers: attempt(1, 552, 700),
  },
  'a cancellation that came too late': {
    client: [submitted(), { ...canceled(500), status: 409, taskStatus: 'completed' }],
  },
  'a cancellation while the handler runs': {
    client: [submitted(), canceled(150)],
    rows: [canceledRow()],
  },
  'a cancellation without an answer that was carried out': {
    client: [submitted(), refused({ status: 0, request: 'cancel', id })],
    rig: [struck({})],
    rows: [canceledRow()],
  },
  'a start while the cancellation is answered': {
    client: [submitted(), { ...canceled(500), sentAt: 90, at: 101 }],
    rows: [canceledRow()],
  },
  'a read and a retry at the same time': {
    client: [submitted(), { ...read(560, 'failed'), sentAt: 500 }, { ...retried(555), sentAt: 510 }],
    handlers: [...attempt(1, 100), ...attempt(2, 557, 700)],
    rows: [row({ type: 'flaky', attempt: 2, resultAttempt: 2 })],
    failedAttempts: [{ id, attempt: 1, at: 200 }],
  },
  'a killer that fails': {
    rows: [failedRow({ type: 'exits', errorName: 'WorkerLostError' })],
    failedAttempts: [{ id, attempt: 1, at: 200 }],
  },
  'a 503 with Retry-After a moment after the outage': {
    client: [submitted(), refused({ status: 503, retryAfter: '1', sentAt: 3_000, at: 3_001 })],
    rig: [struck({ effects: ['outage'], at: 100, until: 200 })],
  },
  'no answer from an api that was killed': {
    client: [submitted(), refused({ status: 0 })],
    rig: [struck({ effects: ['exits'], members: ['api-1'] }), ended({ member: 'api-1' })],
  },
  'a process that was stopped on purpose': { rig: [ended({ wanted: true })] },
  'a key that is asked for twice and answered with one task': {
    client: [submitted({ key: 'k' }), submitted({ key: 'k', status: 200 })],
    rows: [row({ key: 'k' })],
  },
}

for (const [name, wish] of Object.entries(kept)) {
  test(`${name} breaks no promise`, () => {
    assert.deepEqual(check(run(wish)).violations.map(sentence), [])
  })
}

test('the error of an earlier attempt is no second outcome of a task that waits still', () => {
  const waiting = row({ status: 'pending', type: 'flaky', attempt: 2, errorAttempt: 1, errorName: 'Error' })
  const { violations } = check(
    run({
      handlers: [...attempt(1, 100), ...attempt(2, 300)],
      rig: [struck({ at: 150 })],
      rows: [{ ...waiting, hasResult: false, resultAttempt: null, failures: 1 }],
      failedAttempts: [{ id, attempt: 1, at: 140 }],
    }),
  )

  assert.deepEqual(
    violations.map(({ promise }) => promise),
    ['2 every task becomes final'],
  )
})

test('a start that was on its way when the cancellation was answered is counted apart', () => {
  const late = { client: [submitted(), canceled(500)], handlers: attempt(1, 540, 700), rows: [canceledRow()] }
  const { violations, figures } = check(run(late))

  assert.deepEqual(violations, [])
  assert.equal(figures.startsInTransit, 1)
})

test('a recovery lasts from the fault to the new start of what was running', () => {
  const { recoveries } = check(run(twoStarts({ rig: [struck({ at: 150 })] })))

  assert.deepEqual(recoveries, [{ kind: 'worker kill -9', id, ms: 150 }])
})

type Wish = Partial<Pick<Evidence, 'client' | 'handlers' | 'rig'>> &
  Partial<Omit<Snapshot, 'tasks'>> & { rows?: TaskRow[] }

/** One task that was accepted, run and completed, unless the wish says otherwise. */
function run({ client, handlers, rig, rows = [row()], ...rest }: Wish): Evidence {
  return {
    transport: 'postgresql',
    client: client ?? [submitted()],
    handlers: handlers ?? attempt(1, 100, 200),
    rig: rig ?? [],
    guilty,
    leaseMs,
    database: {
      tasks: rows,
      failedAttempts: [],
      packets: [],
      kept: keptOf(rows),
      stopped: rows.filter(({ status }) => status === 'failed' || status === 'canceled'),
      batches: [],
      keys: rows.flatMap(({ key, id }) => (key === null ? [] : [{ key, id }])),
      ...rest,
    },
  }
}

/** The first attempt is cut short at 150, the second starts at 300. */
function twoStarts(wish: Wish): Wish {
  return {
    handlers: [...attempt(1, 100), ...attempt(2, 300, 400)],
    rows: [row({ attempt: 2, resultAttempt: 2, crashes: 1 })],
    ...wish,
  }
}

function row(wish: Partial<TaskRow> = {}): TaskRow {
  return {
    id,
    type: 'quick',
    queue: 'default',
    status: 'completed',
    attempt: 1,
    failures: 0,
    crashes: 0,
    maxAttempts: null,
    finishedAt: 1000,
    key: null,
    mark: null,
    hasResult: true,
    resultAttempt: 1,
    errorName: null,
    errorAttempt: null,
    ...wish,
  }
}

function failedRow(wish: Partial<TaskRow> = {}): TaskRow {
  const error = { hasResult: false, resultAttempt: null, errorName: 'Error', errorAttempt: 1, failures: 1 }
  return row({ status: 'failed', ...error, ...wish })
}

function canceledRow(wish: Partial<TaskRow> = {}): TaskRow {
  return row({ status: 'canceled', hasResult: false, resultAttempt: null, ...wish })
}

function batch(wish: Partial<Snapshot['batches'][number]>): Snapshot['batches'][number] {
  const counts = { real: 'completed 2', kept: 'completed 2' }
  return { id: 'batch-1', ...counts, isFinished: true, hasThen: true, thens: 1, ...wish }
}

function keptOf(rows: readonly TaskRow[]): Snapshot['kept'] {
  return rows.map(({ queue, type, status }) => ({ queue, type, status, n: 1 }))
}

function submitted(
  wish: { ids?: string[]; key?: string; status?: number; called?: string[] } = {},
): ClientLine {
  return { what: 'submitted', at: 10, sentAt: 5, ids: [id], type: 'quick', status: 201, ...wish }
}

function canceled(at: number) {
  return {
    what: 'canceled',
    at,
    sentAt: at - 5,
    id,
    status: 200,
    taskStatus: 'canceled',
    attempt: 1,
  } as const
}

function retried(at: number) {
  return { what: 'retried', at, sentAt: at - 5, id, status: 200, taskStatus: 'pending' } as const
}

function read(at: number, taskStatus: string) {
  return { what: 'read', at, sentAt: at - 5, id, status: 200, taskStatus } as const
}

type Refused = Extract<ClientLine, { what: 'refused' }>

function refused(wish: Partial<Refused>): Refused {
  return { what: 'refused', at: 500, sentAt: 400, request: 'submit', status: 0, reason: 'as it was', ...wish }
}

function attempt(
  n: number,
  startedAt: number,
  finishedAt?: number,
  member = 'worker-1',
  task = id,
): HandlerLine[] {
  const line = { id: task, attempt: n, member, pid: 1 }
  const started: HandlerLine = { what: 'started', at: startedAt, ...line }
  return finishedAt === undefined ? [started] : [started, { what: 'finished', at: finishedAt, ...line }]
}

type Struck = Extract<RigLine, { what: 'struck' }>

function struck(wish: Partial<Struck>): Struck {
  const fault = { kind: 'worker kill -9', effects: ['restarts', 'exits'], members: ['worker-1'] } as const
  return { what: 'struck', at: 100, until: 500, ...fault, ...wish }
}

function ended(wish: { member?: string; wanted?: boolean } = {}): RigLine {
  return { what: 'ended', at: 200, member: 'worker-1', pid: 1, how: 'SIGKILL', wanted: false, ...wish }
}
