import type { Sleep } from '../domain/ports.ts'

/** How often a process looks for what somebody waits for. */
export const lookEveryMs = 25
/** A look that took long is followed by a pause that is longer still: looking takes a quarter of a connection at most. */
const restPerWork = 3

type Rounds = {
  isWanted(): boolean
  round(): Promise<void>
  sleep: Sleep
  everyMs: number
}

/**
 * Makes rounds as long as they are wanted, one after the other, and none when they are not. Answers how to say that
 * they may be wanted now. A round that fails, in an outage, is made again.
 */
export function lookingRounds({ isWanted, round, sleep, everyMs }: Rounds): () => void {
  let looking = false
  return () => {
    if (!looking) void look()
  }

  async function look(): Promise<void> {
    looking = true
    while (isWanted()) {
      const begunMs = performance.now()
      await round().catch(() => {})
      await sleep(Math.max(everyMs, restPerWork * Math.round(performance.now() - begunMs)))
    }
    looking = false
  }
}
