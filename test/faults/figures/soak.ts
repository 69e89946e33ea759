import { setTimeout as sleep } from 'node:timers/promises'
import { faults as ofPostgres } from '../kinds/postgres.ts'
import { faults as ofProcesses } from '../kinds/processes.ts'
import type { Figure, Reading } from '../measure/figure.ts'
import { type Quantity, quantities, type Sample, takeSample } from '../measure/sample.ts'
import { type Stand, submitSteadily, withStand } from '../measure/stand.ts'
import { startLoad } from '../system/load.ts'
import type { Fault, Random, System } from '../trial/fault.ts'
import { untilQuiet } from '../trial/judge.ts'
import { seeded } from '../trial/random.ts'
import { percentile } from '../trial/recovery.ts'

const minutes = 30
const faultEveryMs = 60_000
const warmUpMs = 10_000
/** Far more than can be done: what is done then is the capacity. */
const tooMuch = 5_000

export const figure: Figure = {
  name: 'soak',
  goal: `${minutes} min at half capacity with a fault a minute: heap, handles, connections and tables flat`,
  measure: ({ scale, seed, say }) =>
    withStand({ name: 'soak', seed, transport: 'postgresql' }, (stand) =>
      soak(stand, { forMs: minutes * 60_000 * scale, seed, say }),
    ),
}

type Run = { forMs: number; seed: number; say: (line: string) => void }

async function soak(stand: Stand, { forMs, seed, say }: Run): Promise<Reading> {
  const capacity = await capacityOf(stand)
  say(`capacity ${capacity.toFixed(0)} tasks/s; half of it for ${(forMs / 60_000).toFixed(1)} minutes`)
  const load = startLoad(stand.client, { rate: capacity / 2, random: seeded(seed) })
  const stopping = new AbortController()
  const struck = strikeNowAndThen(stand, seeded(seed), stopping.signal)
  const samples: Sample[] = []
  say(quantities.map(({ short }) => short.padStart(9)).join(''))
  // Enough samples for a median of a third, few enough that looking costs nothing.
  const everyMs = Math.max(2_000, forMs / 90)
  for (const endMs = performance.now() + forMs; performance.now() < endMs; await sleep(everyMs)) {
    const sample = await takeSample(stand).catch(() => undefined) // the database may be away
    if (sample === undefined) continue
    samples.push(sample)
    say(sample.map((value) => shown(value).padStart(9)).join(''))
  }
  stopping.abort()
  const faults = await struck
  await load.stop()
  await untilQuiet(stand, 180_000)
  return verdict(samples, { faults, accepted: load.accepted(), seed })
}

const shown = (value: number) => (value >= 100 ? value.toFixed(0) : value.toFixed(1))

/** Tasks a second that clients get accepted and workers done when nobody holds back. */
async function capacityOf({ client, database }: Stand): Promise<number> {
  const beganMs = performance.now()
  const load = submitSteadily(client, tooMuch, () => ({ type: 'quick', payload: { ms: 0 } }))
  await sleep(warmUpMs)
  const accepted = await load.stop()
  await untilQuiet({ database }, 180_000)
  return accepted.length / ((performance.now() - beganMs) / 1000)
}

const kinds = new Set([
  'worker kill -9',
  'api kill -9',
  'PostgreSQL fast restart',
  'PostgreSQL kill -9',
  'PostgreSQL ends all connections',
])
const faultKinds = [...ofProcesses, ...ofPostgres].filter(({ kind }) => kinds.has(kind))

/** Of the processes only the second ones are struck, so that the first ones grow old. */
async function strikeNowAndThen(stand: Stand, random: Random, signal: AbortSignal): Promise<string[]> {
  const struck: string[] = []
  const { apis, workers } = stand
  const system: System = { ...stand, apis: apis.slice(1), workers: workers.slice(1), ...nobodysTasks }
  for (let i = 0; ; i++) {
    await sleep(faultEveryMs, undefined, { signal }).catch(() => {})
    if (signal.aborted) return struck
    const fault: Fault = faultKinds[i % faultKinds.length]!
    await fault.strike(system, random)
    struck.push(fault.kind)
  }
}

const unused = () => Promise.reject(new Error('these faults submit nothing'))
const nobodysTasks = { submit: unused, cancel: unused, retry: unused }

/** How much more than in the middle third something may be in the last one. */
const mayGrow = 0.1

function verdict(
  samples: readonly Sample[],
  run: { faults: string[]; accepted: number; seed: number },
): Reading {
  const third = Math.floor(samples.length / 3)
  const [middle, last] = [samples.slice(third, 2 * third), samples.slice(-third)]
  const growths = quantities.map((quantity, i) => ({
    ...quantity,
    from: median(middle, i),
    to: median(last, i),
  }))
  const growing = growths.filter(
    ({ isFlat, from, to, slack }) => isFlat && to > from * (1 + mayGrow) && to > from + slack,
  )
  const text =
    `${run.accepted} tasks, ${run.faults.length} faults, ${samples.length} samples; ` +
    (growing.length === 0 ? 'all flat: ' : `NOT flat: ${growing.map(describe).join(', ')}; all: `) +
    growths.map(describe).join(', ')
  const values = Object.fromEntries(
    quantities.map(({ name }, i) => [name, samples.map((sample) => sample[i]!)]),
  )
  return { met: growing.length === 0, text, values: { ...values, seed: run.seed } }
}

function describe({ name, from, to }: Quantity & { from: number; to: number }): string {
  return `${name} ${shown(from)} → ${shown(to)}`
}

function median(samples: readonly Sample[], i: number): number {
  return (
    percentile(
      samples.map((sample) => sample[i]!),
      0.5,
    ) ?? 0
  )
}
