import type { HappenedStore } from '../domain/metric.ts'
import type { Database } from './connection.ts'

/** What happened lately, from the roll-ups. */
export function happenedStore({ run }: Database): HappenedStore {
  return {
    async since(sinceMs) {
      const [now] = await run<[number]>(readNow)
      const nowMs = now![0]
      const fromMs = sinceMs ?? Math.floor(nowMs / minuteMs) * minuteMs
      const rows = await run<Row>(readMinutes, [new Date(fromMs)])
      return {
        nowMs,
        minutes: rows.map(
          ([minuteMs, queue, type, submitted, completed, failed, canceled, waiting, running]) => ({
            minuteMs,
            queue,
            type,
            ...{ submitted, completed, failed, canceled },
            waiting: bucketsOf(waiting),
            running: bucketsOf(running),
          }),
        ),
      }
    },
  }
}

const minuteMs = 60_000

const readNow = { name: 'clock.now-ms', text: `select extract(epoch from now())::float8 * 1000` }

const readMinutes = {
  name: 'rollups.happened',
  text: `
  select extract(epoch from at)::float8 * 1000, queue, type, submitted, completed, failed, canceled,
         waiting::text, running::text
    from rollups
   where minutes = 1
     and at >= $1
     and queue <> ''
     and type <> ''
   order by at, queue, type`,
}

type Row = [
  minuteMs: number,
  queue: string,
  type: string,
  submitted: number,
  completed: number,
  failed: number,
  canceled: number,
  waiting: string,
  running: string,
]

const bucketsOf = (text: string): number[] => (text === '{}' ? [] : text.slice(1, -1).split(',').map(Number))
