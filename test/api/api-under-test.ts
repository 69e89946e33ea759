import type { TestContext } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { buildApi } from '../../src/api/index.ts'
import { type ApiKey, newKey, newToken, type Scope } from '../../src/domain/access.ts'
import type { Batch } from '../../src/domain/batch.ts'
import type { BulkAction } from '../../src/domain/bulk-action.ts'
import { idSource } from '../../src/domain/id.ts'
import type { Queue } from '../../src/domain/queue.ts'
import type { Stats } from '../../src/domain/stats.ts'
import type { Submission } from '../../src/domain/submission.ts'
import type { SystemState } from '../../src/domain/system.ts'
import type { Task, TaskDetail } from '../../src/domain/task.ts'
import type { UseCases } from '../../src/usecases/index.ts'
import type { ScheduleView } from '../../src/usecases/schedules.ts'

const newId = idSource()
const at = '2030-01-31T09:00:00.000Z'

export function taskOf(submission: Partial<Submission>, change: Partial<Task> = {}): Task {
  const { payload = 'null', type = 'default', queue = 'default', priority = 'normal' } = submission
  return {
    id: newId(),
    type,
    queue,
    key: submission.key ?? null,
    status: 'pending',
    priority,
    payload,
    result: null,
    error: null,
    attempt: 0,
    maxAttempts: submission.maxAttempts ?? 3,
    batchId: null,
    idempotencyKey: submission.idempotencyKey ?? null,
    createdAt: at,
    runAt: at,
    startedAt: null,
    finishedAt: null,
    workerId: null,
    ...change,
  }
}

export function batchOf(id: string, change: Partial<Batch> = {}): Batch {
  const counts = { scheduled: 0, pending: 0, processing: 0, completed: 3, failed: 0, canceled: 0 }
  return { id, total: 3, counts, createdAt: at, finishedAt: at, importing: false, thenId: null, ...change }
}

export function detailOf(task: Task, attempts: TaskDetail['attempts'] = []): TaskDetail {
  return { ...task, attempts, progress: null }
}

export function bulkActionOf(id: string, change: Partial<BulkAction> = {}): BulkAction {
  return {
    ...{ id, action: 'cancel', filter: '{}', status: 'ready', matched: 3, done: 0, skipped: 0 },
    ...{
      ratePerSecond: null,
      remainingMs: null,
      createdAt: at,
      startedAt: null,
      finishedAt: null,
      error: null,
    },
    ...change,
  }
}

const noCounts = { scheduled: 0, pending: 0, processing: 0, completed: 0, failed: 0, canceled: 0 }

export const someStats: Stats = {
  total: 2,
  counts: { ...noCounts, pending: 2 },
  queues: [
    {
      ...{
        queue: 'default',
        counts: { ...noCounts, pending: 2 },
        oldestPendingAgeMs: 5,
        workers: 1,
        slots: 10,
      },
      ...{ submittedPerSecond: 1, endedPerSecond: 3, drainsInMs: 1000 },
    },
  ],
  types: [{ type: 'default', counts: { ...noCounts, pending: 2 }, served: true }],
  unserved: [],
  rates: {
    windowMs: 60_000,
    submittedPerSecond: 0.5,
    completedPerSecond: 0,
    failedPerSecond: 0,
    canceledPerSecond: 0,
  },
  oldestPendingAgeMs: 5,
}

export const aSchedule: ScheduleView = {
  name: 'report',
  cron: '30 9 * * 1-5',
  timeZone: 'Europe/Berlin',
  catchUp: 'latest',
  task: { payload: '{"b":1.0, "a":1e400}', type: 'report', queue: 'default', priority: 'normal' },
  paused: false,
  nextAt: at,
  nextRuns: [at],
  lastRunAt: null,
  lastTaskId: null,
  createdAt: at,
  updatedAt: at,
}

export function queueOf(name: string, change: Partial<Queue> = {}): Queue {
  const limits = { concurrency: null, ratePerSecond: null, keyConcurrency: null, keyRatePerSecond: null }
  const { queue: _, ...stats } = someStats.queues[0]!
  const state = { paused: false, pausedAt: null, ...stats }
  return { name, ...limits, ...state, ...change }
}

export const someSystem: SystemState = {
  database: { version: '18.4', sizeBytes: 8_000_000, measuredAt: at },
  partitions: [{ name: 'tasks_20300131', from: at, to: null, rows: 2, bytes: 8_192, sealed: false }],
  ledger: {
    waitingPackets: 1,
    unsentPackets: 1,
    heldPackets: 0,
    oldestWaitingAgeMs: 5,
    mostCounted: 20_000,
  },
  relay: null,
  broker: null,
  settings: [{ variable: 'PORT', value: '8000', source: 'default', meaning: 'the port to listen on' }],
  checks: [{ check: 'node', state: 'ok', detail: 'Node.js 24' }],
  checkedAt: at,
}

export function keyOf(name: string, scopes: readonly Scope[]): ApiKey {
  const times = { createdAt: at, expiresAt: null, lastUsedAt: null, revokedAt: null }
  return { id: newKey().id, name, scopes: [...scopes], ...times }
}

/** Use cases of which a test needs only some; the others work and remember nothing. */
export function useCasesWith(some: Partial<UseCases>): UseCases {
  return {
    submitTask: async (submission) => ({ task: taskOf(submission), replayed: false }),
    submitBatch: async (submissions) => ({ batchId: newId(), ids: submissions.map(newId) }),
    openImport: async () => ({
      batchId: newId(),
      add: async (tasks) => tasks.map(newId),
      close: async () => {},
    }),
    readBatch: async (id) => batchOf(id),
    listBatches: async () => ({ batches: [], next: null }),
    awaitBatch: async (id) => batchOf(id),
    cancelBatch: async () => 0,
    retryBatch: async () => 0,
    getTask: async (id) => detailOf(taskOf({}, { id })),
    awaitTask: async (id) => detailOf(taskOf({}, { id, status: 'completed' })),
    async *followMoves() {},
    followTask: async () => undefined,
    listTasks: async () => ({ tasks: [], next: null, prev: null, searchedTo: null }),
    cancelTask: async (id) => detailOf(taskOf({}, { id, status: 'canceled' })),
    retryTask: async (id) => detailOf(taskOf({}, { id })),
    createBulkAction: async ({ start: _start, scope: _scope, ...wish }) => bulkActionOf(newId(), wish),
    readBulkAction: async (id) => bulkActionOf(id),
    listBulkActions: async () => ({ actions: [], next: null }),
    startBulkAction: async (id) => bulkActionOf(id, { status: 'running', startedAt: at }),
    abortBulkAction: async (id) => bulkActionOf(id, { status: 'aborted', finishedAt: at }),
    explainTask: async (taskId) => ({
      taskId,
      status: 'pending',
      code: 'starting',
      sentence: 'Nothing is ahead of it.',
      details: { ahead: 0 },
    }),
    readTimeline: async (taskId) => ({ taskId, now: at, spans: [], marks: [{ kind: 'submitted', at }] }),
    readStats: async () => someStats,
    listFailureGroups: async () => ({ groups: [], next: null }),
    readHistory: async ({ from, to }) => ({ from, to, stepMs: 60_000, points: [] }),
    async *followStats() {
      yield { ...someStats, newestTaskId: null }
    },
    listWorkers: async () => [],
    readSystem: async () => someSystem,
    readMetrics: async () => [],
    putSchedule: async (definition) => ({ schedule: { ...aSchedule, ...definition }, created: true }),
    getSchedule: async (name) => ({ ...aSchedule, name }),
    listSchedules: async () => [aSchedule],
    removeSchedule: async (name) => ({ ...aSchedule, name }),
    pauseSchedule: async (name) => ({ ...aSchedule, name, paused: true, nextRuns: [] }),
    resumeSchedule: async (name) => ({ ...aSchedule, name }),
    runSchedule: async () => ({ task: taskOf({}), replayed: false }),
    listQueues: async () => [queueOf('default')],
    changeQueue: async (name, changes) => queueOf(name, changes),
    pauseQueue: async (name) => queueOf(name, { paused: true, pausedAt: at }),
    resumeQueue: async (name) => queueOf(name),
    findKey: () => undefined,
    listKeys: async () => [],
    createKey: async ({ name, scopes }) => ({ ...keyOf(name, scopes), key: newKey().key }),
    revokeKey: async (id) => ({ ...keyOf('old', ['read']), id, revokedAt: at }),
    openSession: async () => newToken(),
    findSession: async () => undefined,
    closeSession: async () => {},
    checkReadiness: async () => ({ ok: true, checks: [{ name: 'database', ok: true }] }),
    registerWorker: async ({ leaseMs }) => ({ id: newId(), leaseMs }),
    claimTasks: async () => [],
    beatWorker: async () => ({ leaseMs: 30_000, canceled: [], lost: [] }),
    finishTasks: async (_, endings) =>
      endings.map(({ id, attempt }) => ({ id, attempt, accepted: true, status: 'completed' })),
    leaveWorker: async () => {},
    ...some,
  }
}

export type Api = { app: FastifyInstance; log: string[] }

/** The API over doubles, closed when the test ends, and what it logged. */
export async function apiWith(
  t: TestContext,
  some: Partial<UseCases> = {},
  apiKeys: readonly string[] = [],
): Promise<Api> {
  const log: string[] = []
  const logger = pino({ level: 'info' }, { write: (line: string) => void log.push(line) })
  const app = await buildApi({ useCases: useCasesWith(some), apiKeys, log: logger, version: '1.2.3' })
  t.after(() => app.close())
  return { app, log }
}

/** An API that keeps what it was handed in `submissions`. */
export async function recordingApi(t: TestContext) {
  const submissions: Submission[] = []
  const { app } = await apiWith(t, {
    submitTask: async (submission) => {
      submissions.push(submission)
      return { task: taskOf(submission), replayed: false }
    },
    submitBatch: async (batch) => {
      submissions.push(...batch)
      return { batchId: newId(), ids: batch.map(newId) }
    },
  })
  const post = (body: string | Buffer, headers: Record<string, string> = {}, url = '/tasks') =>
    app.inject({ method: 'POST', url, body, headers: { 'content-type': 'application/json', ...headers } })
  return { app, submissions, post }
}

/** The port on which it listens. */
export function portOf(app: FastifyInstance): number {
  const [address] = app.addresses()
  return typeof address === 'object' ? address.port : 0
}
