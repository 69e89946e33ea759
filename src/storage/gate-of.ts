import type { Hold } from '../domain/hold.ts'
import type { Database } from './connection.ts'
import { runningIn } from './queue-limits.ts'

// By keys all the way, and as many rows of `admitted` as there are packets running within the limits. A lane without a
// row has never waited for its turn.
const readGateOf = {
  name: 'queues.gate-of',
  text: `
  select q.name, coalesce(t.key, ''), q.paused_at,
         q.concurrency, q.rate_per_second, q.key_concurrency, q.key_rate_per_second,
         (${runningIn('q.name')})::int,
         (select coalesce(sum(tasks), 0) from admitted as a where a.queue = q.name and a.key = t.key)::int,
         extract(epoch from greatest(q.due_at, 'epoch') - clock_timestamp())::float8 * 1000,
         extract(epoch from l.ready_at - clock_timestamp())::float8 * 1000
    from tasks as t
    join queues as q on q.name = t.queue
    left join lanes as l on l.queue = t.queue and l.key = t.key
   where t.id = $1
     and t.status = 'pending'`,
}

type GateRow = [
  queue: string,
  key: string,
  pausedAt: Date | null,
  concurrency: number | null,
  ratePerSecond: number | null,
  keyConcurrency: number | null,
  keyRatePerSecond: number | null,
  running: number,
  ofKey: number,
  dueInMs: number,
  readyInMs: number | null,
]

/**
 * What holds a pending task back at the gate of its queue, the key's limits before the queue's. Undefined: nothing does,
 * or it is not pending. Where keys take turns a task may still have to wait for its own.
 */
export async function gateOf({ run }: Database, taskId: string): Promise<Hold | undefined> {
  const [row] = await run<GateRow>(readGateOf, [taskId])
  if (!row) return undefined
  const [queue, key, pausedAt, concurrency, ratePerSecond, keyConcurrency, keyRatePerSecond] = row
  const [running, ofKey, dueInMs, readyInMs] = row.slice(7) as [number, number, number, number | null]
  if (pausedAt) return { by: 'queue-paused', queue, pausedAt: pausedAt.toISOString() }
  const keyBound = bound(ofKey, [keyConcurrency, keyRatePerSecond], readyInMs)
  if (key !== '' && keyBound) return { by: 'key-limit', queue, key, ...keyBound }
  const queueBound = bound(running, [concurrency, ratePerSecond], dueInMs)
  return queueBound && { by: 'queue-limit', queue, ...queueBound }
}

function bound(
  running: number,
  [concurrency, ratePerSecond]: [number | null, number | null],
  readyInMs: number | null,
) {
  const isFull = concurrency !== null && running >= concurrency
  const isPaced = ratePerSecond !== null && readyInMs !== null && readyInMs > 0
  if (!isFull && !isPaced) return undefined
  return { running, concurrency, ratePerSecond, readyInMs: isFull ? null : Math.ceil(readyInMs ?? 0) }
}
