import type { Sleep } from '../domain/ports.ts'

const lookEveryMs = 25
/** Each of these many adds a millisecond to the pause, so that looking stays cheap: 5,000 are looked for every 50 ms. */
const lookedForPerMs = 200

/** How long to pause between two looks for what somebody waits for. */
export function lookPauseMs(lookedFor: number): number {
  return lookEveryMs + Math.floor(lookedFor / lookedForPerMs)
}

/**
 * Resolves when what was handed to `enter` is called, or as soon as the signal aborts. `enter` answers how to leave
 * again.
 */
export function told(signal: AbortSignal, enter: (tell: () => void) => () => void): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const leave = enter(tell)
    signal.addEventListener('abort', tell)

    function tell() {
      leave()
      signal.removeEventListener('abort', tell)
      resolve()
    }
  })
}

type Rounds = {
  isWanted(): boolean
  round(): Promise<void>
  pauseMs(): number
  sleep: Sleep
}

/**
 * Makes rounds as long as they are wanted, one after the other, and none when they are not. Answers how to say that
 * they may be wanted now. A round that fails, in an outage, is made again.
 */
export function lookingRounds({ isWanted, round, pauseMs, sleep }: Rounds): () => void {
  let looking = false
  return () => {
    if (!looking) void look()
  }

  async function look(): Promise<void> {
    looking = true
    while (isWanted()) {
      await round().catch(() => {})
      await sleep(pauseMs())
    }
    looking = false
  }
}
