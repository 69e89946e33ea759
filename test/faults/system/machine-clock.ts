/**
 * Milliseconds since 1970, with fractions, by one clock for all processes of a run: also for those whose own clock is
 * made to lie, and when the machine's is set anew.
 */
export function nowMs(): number {
  return epochMs + sinceBootMs()
}

const epochMs = Number(process.env.FAULTS_EPOCH_MS ?? Date.now() - sinceBootMs())

/** What another process needs in its environment to have the same clock. */
export const clockEnvironment = { FAULTS_EPOCH_MS: String(epochMs) }

function sinceBootMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
