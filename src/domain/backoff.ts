const firstMs = 1_000
const longestMs = 3_600_000
const spread = 0.2

/**
 * Milliseconds to wait after the `failures`th failure: 1, 2, 4, … seconds up to an hour, spread by ±20 % so
 * that tasks that failed together do not return together. `random` answers in [0, 1).
 */
export function backoffMs(failures: number, random: () => number = Math.random): number {
  const plainMs = Math.min(longestMs, firstMs * 2 ** Math.max(0, failures - 1))
  return Math.round(plainMs * (1 - spread + 2 * spread * random()))
}
