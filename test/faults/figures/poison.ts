import type { Figure, Reading } from '../measure/figure.ts'
import { type Stand, withStand } from '../measure/stand.ts'
import { untilQuiet } from '../trial/judge.ts'

const tasks = 20_000
const oneIn = 1_000
const concurrency = 500
const leastShare = 0.5
const pairs = 2

export const figure: Figure = {
  name: 'poison',
  goal: `a process-killing task per ${oneIn} at concurrency ${concurrency}: no innocent fails, throughput of the rest >= ${leastShare * 100} % of the usual`,
  measure: ({ scale, seed, say }) =>
    withStand({ name: 'poison', seed, transport: 'postgresql', apis: 1, settings }, (stand) =>
      comparePairs(stand, { count: Math.max(oneIn, Math.round(tasks * scale)), say }),
    ),
}

const settings = { CONCURRENCY: String(concurrency) }

type Run = { count: number; say: (line: string) => void }

async function comparePairs(stand: Stand, { count, say }: Run): Promise<Reading> {
  const shares: number[] = []
  for (let pair = 1; pair <= pairs; pair++) {
    const usual = await throughputOf(stand, count, 0)
    const poisoned = await throughputOf(stand, count, oneIn)
    shares.push(poisoned / usual)
    say(`pair ${pair}: ${usual.toFixed(0)} tasks/s without, ${poisoned.toFixed(0)} tasks/s with poison`)
  }
  const { innocents, survivors, poison, misnamed } = await sinsOf(stand)
  const share = Math.min(...shares)
  const text =
    `${pairs} pairs of ${count} tasks: throughput with poison ${shares.map((one) => `${(one * 100).toFixed(0)} %`).join(', ')} of the usual; ` +
    `${innocents} innocents failed; of ${poison} poisonous tasks ${survivors} did not fail, ${misnamed} with another error than WorkerLostError`
  return {
    met: share >= leastShare && innocents + survivors + misnamed === 0,
    text,
    values: { shares, innocents, survivors, misnamed, poison },
  }
}

/** Tasks a second, from the first start of an innocent to the end of the last one. */
async function throughputOf(
  { client, database }: Stand,
  count: number,
  poisonEvery: number,
): Promise<number> {
  const [before] = await database.query<{ at: Date }>('select clock_timestamp() as at')
  const payloads = Array.from({ length: count }, (_, n) => n)
  for (let at = 0; at < count; at += oneIn) {
    const innocents = payloads
      .slice(at, at + oneIn)
      .map((n) => ({ type: 'slow', payload: { ms: 100 + (n % 401) } }))
    await Promise.all([client.submit(innocents), ...(poisonEvery > 0 ? [client.submit([poison])] : [])])
  }
  await untilQuiet({ database }, 600_000)
  const [row] = await database.query<{ seconds: number }>(
    `select extract(epoch from max(finished_at) - min(created_at))::float8 as seconds
       from millrace.tasks where type = 'slow' and created_at >= $1`,
    [before?.at],
  )
  return count / row!.seconds
}

const poison = { type: 'exits', payload: null, maxAttempts: 2 }

type Sins = { innocents: number; survivors: number; misnamed: number; poison: number }

async function sinsOf({ database }: Stand): Promise<Sins> {
  const [sins] = await database.query<Sins>(`
    select count(*) filter (where type = 'slow' and (status <> 'completed' or failures > 0))::int as innocents,
           count(*) filter (where type = 'exits' and status <> 'failed')::int as survivors,
           count(*) filter (where type = 'exits' and error ->> 'name' is distinct from 'WorkerLostError')::int as misnamed,
           count(*) filter (where type = 'exits')::int as poison
      from millrace.tasks`)
  return sins!
}
