import type { Run } from './connection.ts'

/** What comes to a queue and what ends in it, in a second. */
export type Pace = { submittedPerSecond: number; endedPerSecond: number }

// Over the present minute and the one before, as far as they are written down. $1 only this queue, or null for all
const readPaces = {
  name: 'rollups.paces',
  text: `
  select queue, (sum(submitted) / seconds)::float8, (sum(completed + failed) / seconds)::float8
    from (select r.queue, submitted, completed, failed,
                 greatest(10, extract(epoch from c.written_to - min(at) over (partition by r.queue))) as seconds
            from rollups as r
           cross join rollup_clock as c
           where minutes = 1
             and type = ''
             and r.queue <> ''
             and ($1::text is null or r.queue = $1)
             and at >= date_trunc('minute', now()) - interval '1 minute') as lately
   group by queue, seconds`,
}

/** The paces of queues in which something happened in the last two minutes. */
export async function pacesOf(run: Run, queue: string | null): Promise<Map<string, Pace>> {
  const rows = await run<[string, number, number]>(readPaces, [queue])
  return new Map(
    rows.map(([name, submittedPerSecond, endedPerSecond]) => [name, { submittedPerSecond, endedPerSecond }]),
  )
}
