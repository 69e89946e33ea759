import type { Check, Story, Violation } from './evidence.ts'
import { startsAfterTheEnd, unexplainedChanges } from './sightings.ts'
import type { TaskRow } from './snapshot.ts'

const promise = '3 a final status stays, with one outcome'
const defaultMaxAttempts = 3

/** 3: a final status is left by a retry only; an attempt has one outcome; no more failures than allowed. */
export const finality: Check = function* (_evidence, stories) {
  for (const story of stories.values()) {
    yield* changesOfMind(story)
    yield* startsAfterCompletion(story)
    if (!story.row) continue
    yield* twoOutcomes(story, story.row)
    yield* outcomeOfAnother(story, story.row)
    yield* miscountedFailures(story, story.row)
  }
}

function* changesOfMind(story: Story): Iterable<Violation> {
  for (const { before, after } of unexplainedChanges(story)) {
    if (before.status === 'canceled') continue // promise 4
    const saw = `was ${before.status} and then ${after.status}, without a retry`
    yield { promise, id: story.id, tally: 'doubleCompleted', saw }
  }
}

function* startsAfterCompletion(story: Story): Iterable<Violation> {
  for (const { end, start } of startsAfterTheEnd(story)) {
    if (end.status === 'canceled') continue // promise 4
    const lateMs = Math.round(start.startedAt - end.to)
    const saw = `attempt ${start.attempt} started ${lateMs} ms after the task was seen ${end.status}`
    yield { promise, id: story.id, saw }
  }
}

function* twoOutcomes({ id, failedAttempts, startedTwice }: Story, row: TaskRow): Iterable<Violation> {
  if (row.status === 'completed' && failedAttempts.has(row.attempt)) {
    const saw = `attempt ${row.attempt} is stored as completed and as failed`
    yield { promise, id, tally: 'doubleCompleted', saw }
  }
  for (const { attempt, member } of startedTwice) {
    yield { promise, id, saw: `attempt ${attempt} started twice, the second time on ${member}` }
  }
}

/** The fence: what is stored is of the task's last attempt, and of one that a handler has ended. */
function* outcomeOfAnother({ id, attempts }: Story, row: TaskRow): Iterable<Violation> {
  const storedAttempt = row.resultAttempt ?? row.errorAttempt ?? row.attempt
  // While it waits, runs or was canceled, a task shows the error of an earlier attempt.
  const isDecided = row.status === 'completed' || row.status === 'failed'
  if (isDecided && storedAttempt !== row.attempt) {
    const saw = `the outcome of attempt ${storedAttempt} is stored, but the last was attempt ${row.attempt}`
    yield { promise, id, tally: 'doubleCompleted', saw }
  }
  const last = attempts.at(-1)
  if (last && last.attempt > row.attempt) {
    yield { promise, id, saw: `attempt ${last.attempt} started, but only ${row.attempt} were claimed` }
  }
  const ended = attempts.find(({ attempt }) => attempt === row.resultAttempt)
  if (row.resultAttempt !== null && ended?.finishedAt === undefined) {
    yield { promise, id, saw: `has a result of attempt ${row.resultAttempt}, which no handler finished` }
  }
  const isWhole = row.hasResult === (row.status === 'completed') && (row.status !== 'failed' || row.errorName)
  if (!isWhole) yield { promise, id, saw: `is ${row.status} with the wrong one of result and error` }
}

function* miscountedFailures({ id, failedAttempts, retries }: Story, row: TaskRow): Iterable<Violation> {
  const { failures, maxAttempts } = row
  if (failures > (maxAttempts ?? defaultMaxAttempts)) {
    yield { promise, id, saw: `has ${failures} failures of ${maxAttempts ?? defaultMaxAttempts} allowed` }
  }
  const remembered = failedAttempts.size
  const isExact = retries.length === 0 ? failures === remembered : failures <= remembered
  if (!isExact) yield { promise, id, saw: `counts ${failures} failures and remembers ${remembered}` }
}
