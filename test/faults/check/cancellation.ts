import { type Attempt, type Check, mayHaveBeenRetried, type Story, type Violation } from './evidence.ts'
import { type Sighting, startsAfterTheEnd, unexplainedChanges } from './sightings.ts'

const promise = '4 nothing starts or is stored after a cancellation'

/** 4: a cancellation is true when it is answered. */
export const cancellation: Check = function* (_evidence, stories) {
  for (const story of stories.values()) {
    yield* wrongAnswers(story)
    yield* outcomesAfter(story)
    yield* startsAfter(story)
  }
}

function* wrongAnswers({ id, cancels, row }: Story): Iterable<Violation> {
  for (const { status, taskStatus } of cancels) {
    if (status === 200 && taskStatus !== 'canceled')
      yield { promise, id, saw: `was answered as ${taskStatus} to a cancellation` }
  }
  if (
    row?.status === 'canceled' &&
    !cancels.some(({ status }) => status === 200 || status === 0 || status >= 500)
  )
    yield { promise, id, saw: 'is canceled, which nobody has asked for' }
}

function* outcomesAfter(story: Story): Iterable<Violation> {
  const { id, failedAttempts } = story
  for (const { before, after } of unexplainedChanges(story)) {
    if (before.status !== 'canceled') continue // promise 3
    const saw = `became ${after.status} after its cancellation was answered`
    yield { promise, id, tally: 'lateResults', saw }
  }
  for (const cancel of story.cancels) {
    if (cancel.taskStatus !== 'canceled') continue
    for (const [attempt, failedAt] of failedAttempts) {
      if (failedAt <= cancel.at || mayHaveBeenRetried(story, cancel.sentAt, failedAt)) continue
      const saw = `the failure of attempt ${attempt} was stored after its cancellation was answered`
      yield { promise, id, tally: 'lateResults', saw }
    }
  }
}

function* startsAfter(story: Story): Iterable<Violation> {
  for (const { end, start } of startsAfterTheEnd(story)) {
    if (end.status !== 'canceled' || isInTransit({ end, start })) continue
    const how = wasClaimed({ end, start }) ? 'claimed before and started' : 'claimed and started'
    const lateMs = Math.round(start.startedAt - end.to)
    const saw = `attempt ${start.attempt} on ${start.member} was ${how} ${lateMs} ms after its cancellation was answered`
    yield { promise, id: story.id, tally: 'startsAfterCancel', saw }
  }
}

/** How much later a handler may start whose task was claimed before it was canceled: the worker has not heard of it yet. */
const transitMs = 1_000

/** How late the starts were that were on their way when the cancellation was answered, milliseconds. */
export function startsInTransit(story: Story): number[] {
  return [...startsAfterTheEnd(story)]
    .filter(({ end, start }) => end.status === 'canceled' && isInTransit({ end, start }))
    .map(({ end, start }) => start.startedAt - end.to)
}

type Late = { end: Sighting; start: Attempt }

function isInTransit({ end, start }: Late): boolean {
  return wasClaimed({ end, start }) && start.startedAt - end.to <= transitMs
}

function wasClaimed({ end, start }: Late): boolean {
  return end.attempt !== undefined && start.attempt <= end.attempt
}
