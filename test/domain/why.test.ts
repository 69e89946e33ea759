import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Situation, type WhyCode, whyOf } from '../../src/domain/why.ts'

const now = '2030-01-31T09:00:00.000Z'
const in12s = '2030-01-31T09:00:12.000Z'
const ago3h = '2030-01-31T06:00:00.000Z'
const worker = { id: 'w', host: 'crane', queues: ['mail'], types: ['email.send'] }

type Change = Partial<Omit<Situation, 'task'>> & { task?: Partial<Situation['task']> }

function situation({ task, ...rest }: Change): Situation {
  return {
    now,
    nextLookAt: null,
    workers: [worker],
    hold: undefined,
    ahead: 0,
    perSecond: null,
    task: {
      ...{ id: 'i', status: 'pending', type: 'email.send', queue: 'mail', attempt: 0, maxAttempts: 3 },
      ...{ failures: 0, runAt: ago3h, startedAt: null, finishedAt: null, workerId: null },
      ...task,
    },
    ...rest,
  }
}

const limit = { queue: 'mail', running: 20, concurrency: 20, ratePerSecond: null, readyInMs: null }
const pace = { queue: 'mail', running: 1, concurrency: null, ratePerSecond: 5, readyInMs: 180 }
const late = { status: 'scheduled', runAt: ago3h } as const

const cases: [what: string, Change, WhyCode, sentence: RegExp][] = [
  [
    'delayed',
    { task: { status: 'scheduled', runAt: in12s } },
    'due-later',
    /^Due at 2030-01-31T09:00:12.000Z, in 12 s\.$/,
  ],
  [
    'failed once',
    { task: { status: 'scheduled', runAt: in12s, failures: 1, attempt: 1 } },
    'backing-off',
    /^It has failed once of 3 at most, and is backing off until 2030-01-31T09:00:12.000Z, for 12 s\.$/,
  ],
  [
    'failed twice',
    { task: { status: 'scheduled', runAt: in12s, failures: 2 } },
    'backing-off',
    /failed 2 times of 3/,
  ],
  [
    'delayed, and nobody there',
    { task: { status: 'scheduled', runAt: in12s }, workers: [] },
    'due-later',
    /^Due at/,
  ],
  ['due just now', { task: { status: 'scheduled', runAt: now } }, 'starting', /becomes pending/],
  [
    'put off because nobody handles it',
    { task: late, workers: [{ ...worker, types: ['sms'] }], nextLookAt: in12s },
    'no-worker-for-type',
    /^No live worker of queue mail handles type email.send\. It is offered again at 2030-01-31T09:00:12.000Z\.$/,
  ],
  [
    'put off, and workers have gone',
    { task: late, workers: [], nextLookAt: in12s },
    'no-worker-for-queue',
    /offered again/,
  ],
  [
    'in a paused queue',
    { hold: { by: 'queue-paused', queue: 'mail', pausedAt: ago3h }, workers: [] },
    'queue-paused',
    /^Queue mail is paused, since 2030-01-31T06:00:00.000Z, 3 h ago\.$/,
  ],
  [
    'in a queue without workers',
    { workers: [{ ...worker, queues: ['x'] }] },
    'no-worker-for-queue',
    /^No live worker takes tasks of queue mail\.$/,
  ],
  [
    'of a type that only workers of other queues handle',
    {
      workers: [
        { ...worker, types: [] },
        { ...worker, queues: ['x'] },
      ],
    },
    'no-worker-for-type',
    /^No live worker of queue mail handles type email.send\.$/,
  ],
  [
    'without a worker, in a queue that is full',
    { workers: [], hold: { by: 'queue-limit', ...limit } },
    'no-worker-for-queue',
    /No live worker/,
  ],
  [
    'behind a full queue',
    { hold: { by: 'queue-limit', ...limit } },
    'queue-limit',
    /^The limit of queue mail is reached: 20 run, and 20 may\.$/,
  ],
  [
    'behind a full key',
    { hold: { by: 'key-limit', key: 'acme', ...limit }, ahead: 7 },
    'key-limit',
    /^The limit of key acme in queue mail is reached: 20 run, and 20 may\.$/,
  ],
  [
    'behind a rate',
    { hold: { by: 'queue-limit', ...pace } },
    'queue-limit',
    /^The limit of queue mail is reached: 5 may start in a second, the next in 180 ms\.$/,
  ],
  [
    'behind others',
    { ahead: 12_480, perSecond: 1_400 },
    'behind-others',
    /^12,480 ahead of it, about 9 s\.$/,
  ],
  ['behind others that nobody knows the pace of', { ahead: 1 }, 'behind-others', /^1 ahead of it\.$/],
  ['behind others that stand still', { ahead: 10, perSecond: 0 }, 'behind-others', /^10 ahead of it\.$/],
  ['next', {}, 'starting', /^Nothing is ahead of it/],
  [
    'running',
    { task: { status: 'processing', workerId: 'w', startedAt: ago3h, attempt: 2 } },
    'running',
    /^Attempt 2 runs on crane, for 3 h\.$/,
  ],
  [
    'with a worker that is gone',
    { task: { status: 'processing', workerId: 'x', attempt: 1 } },
    'running',
    /is not to be seen/,
  ],
  [
    'completed',
    { task: { status: 'completed', finishedAt: now, attempt: 1 } },
    'final',
    /^Completed at .*, in attempt 1\.$/,
  ],
  ['failed', { task: { status: 'failed', finishedAt: now, attempt: 3 } }, 'final', /^Failed for good at/],
  ['canceled', { task: { status: 'canceled', finishedAt: now } }, 'final', /^Canceled at/],
]

test('why a task is not running', async (t) => {
  for (const [what, change, code, sentence] of cases)
    await t.test(`when it is ${what}: ${code}`, () => {
      const why = whyOf(situation(change))
      assert.equal(why.code, code)
      assert.match(why.sentence, sentence)
    })

  await t.test('tells what the sentence was made of', () => {
    assert.deepEqual(whyOf(situation({ ahead: 100, perSecond: 50 })), {
      taskId: 'i',
      status: 'pending',
      code: 'behind-others',
      sentence: '100 ahead of it, about 2 s.',
      details: { queue: 'mail', ahead: 100, etaMs: 2_000, perSecond: 50 },
    })
  })
})
