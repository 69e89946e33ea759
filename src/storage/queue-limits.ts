import { slackSeconds } from './admission.ts'
import type { Run } from './connection.ts'

/** The limits of a queue as its gate finds them. Null is none. */
export type QueueLimits = {
  isPaused: boolean
  /** Whether it has any limit at all. */
  isLimited: boolean
  concurrency: number | null
  keyConcurrency: number | null
  keyRatePerSecond: number | null
  ratePerSecond: number | null
  /** How many the rate lets start now, and when it lets the next one. */
  rateRoom: number
  rateInMs: number
}

const lockRow = {
  name: 'queues.lock',
  text: `
  select paused_at is not null, concurrency, key_concurrency, key_rate_per_second, rate_per_second,
         least(1e9, extract(epoch from clock_timestamp() - greatest(due_at, 'epoch')))::float8
    from queues
   where name = $1
     for update`,
}

type LimitsRow = [
  isPaused: boolean,
  concurrency: number | null,
  keyConcurrency: number | null,
  keyRatePerSecond: number | null,
  ratePerSecond: number | null,
  sinceDueSeconds: number,
]

/** Locks a queue until the end of the transaction: nobody else admits meanwhile. Undefined if it never had limits. */
export async function lockQueue(run: Run, queue: string): Promise<QueueLimits | undefined> {
  const [row] = await run<LimitsRow>(lockRow, [queue])
  if (!row) return undefined
  const [isPaused, concurrency, keyConcurrency, keyRatePerSecond, ratePerSecond, since] = row
  const limits = [concurrency, keyConcurrency, keyRatePerSecond, ratePerSecond]
  return {
    isPaused,
    isLimited: limits.some((limit) => limit !== null),
    concurrency,
    keyConcurrency,
    keyRatePerSecond,
    ratePerSecond,
    rateRoom: ratePerSecond === null ? Number.POSITIVE_INFINITY : startsIn(since, ratePerSecond),
    rateInMs: ratePerSecond === null ? 0 : Math.max(0, -since * 1000),
  }
}

/** One when it is due, and what a late look has missed, as far as that may be made up for. */
function startsIn(sinceDueSeconds: number, ratePerSecond: number): number {
  if (sinceDueSeconds < 0) return 0
  return Math.floor(Math.min(sinceDueSeconds, slackSeconds) * ratePerSecond) + 1
}

const spend = {
  name: 'queues.spend',
  text: `
  update queues
     set due_at = greatest(due_at, clock_timestamp() - interval '${slackSeconds} seconds')
                  + $2::int / rate_per_second * interval '1 second'
   where name = $1`,
}

/** Notes that so many have started, for the rate. */
export async function spendRate(run: Run, queue: string, tasks: number): Promise<void> {
  await run(spend, [queue, tasks])
}

/** What runs in a queue. What was claimed before it had limits counts until its packet is gone. */
export const runningIn = (queue: string) => `
  select (select coalesce(sum(tasks), 0) from admitted where queue = ${queue})
       + (select coalesce(sum(cardinality(task_ids)), 0)
            from packets as p
           where worker_id is not null
             and queue = ${queue}
             and p.id not in (select packet_id from admitted where queue = ${queue}))`

const countAdmitted = { name: 'admitted.count', text: runningIn('$1') }

/** How many more may start now, of `room` at most. */
export async function roomWithin(
  run: Run,
  queue: string,
  { limits, room }: { limits: QueueLimits; room: number },
): Promise<number> {
  if (limits.concurrency === null) return room
  const running = (await run<[number]>(countAdmitted, [queue]))[0]![0]
  return Math.min(room, limits.concurrency - running)
}
