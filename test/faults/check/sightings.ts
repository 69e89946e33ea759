import { type Attempt, mayHaveBeenRetried, type Story } from './evidence.ts'

/** A final status that a client was told, or that is stored in the end. It was so at some instant between the two. */
export type Sighting = { from: number; to: number; status: string; attempt: number | undefined }

const finalStatuses: readonly string[] = ['completed', 'failed', 'canceled']

export function isFinal(status: string | undefined): status is string {
  return status !== undefined && finalStatuses.includes(status)
}

/** In the order in which they were certain; the stored one comes last. */
export function sightingsOf({ cancels, retries, reads, row }: Story): Sighting[] {
  const seen = [...cancels, ...retries.filter(({ status }) => status === 409), ...reads]
    .flatMap(({ sentAt, at, taskStatus, attempt }) =>
      isFinal(taskStatus) ? [{ from: sentAt, to: at, status: taskStatus, attempt }] : [],
    )
    .sort((a, b) => a.to - b.to)
  if (row) seen.push({ from: Infinity, to: Infinity, status: row.status, attempt: row.attempt })
  return seen
}

/** The pairs of a sighting and a later one of something else, with no retry between them that explains it. */
export function* unexplainedChanges(story: Story): Iterable<{ before: Sighting; after: Sighting }> {
  const seen = sightingsOf(story)
  for (const [i, after] of seen.entries()) {
    const before = seen.slice(0, i).findLast(({ to }) => to <= after.from)
    if (before && before.status !== after.status && !mayBeLeft(story, before, after.to))
      yield { before, after }
  }
}

/** The starts that came after a final status was told, with no retry between them that explains it. */
export function* startsAfterTheEnd(story: Story): Iterable<{ end: Sighting; start: Attempt }> {
  const ends = sightingsOf(story).filter(({ to }) => to < Infinity)
  for (const start of [...story.attempts, ...story.startedTwice]) {
    const end = ends.findLast(({ to }) => to < start.startedAt)
    if (end && !mayBeLeft(story, end, start.startedAt)) yield { end, start }
  }
}

function mayBeLeft(story: Story, { from, status }: Sighting, until: number): boolean {
  return status !== 'completed' && mayHaveBeenRetried(story, from, until)
}
