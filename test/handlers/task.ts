import type { ClaimedTask } from '../../src/domain/outcome.ts'

let ids = 0

/** A claimed task for a runner, with whatever matters to the test. */
export function claimed(about: Partial<ClaimedTask> = {}): ClaimedTask {
  return {
    id: `00000000-0000-7000-8000-${String(++ids).padStart(12, '0')}`,
    packet: 1,
    queue: 'default',
    type: 'work',
    payload: 'null',
    attempt: 1,
    failures: 0,
    crashes: 0,
    maxAttempts: null,
    timeoutMs: null,
    waitedMs: 0,
    ...about,
  }
}
