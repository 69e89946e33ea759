import type pg from 'pg'
import { Pool } from 'undici'
import type { Entry } from '../contestant.ts'
import { fill } from '../fill.ts'
import { nowMs, ownSql, type Percentiles, percentiles, type Workload } from '../workload.ts'

const few = 10_000
const times = 300
const statuses = ['scheduled', 'pending', 'processing', 'completed', 'failed', 'canceled'] as const
const shares = { completed: 0.97, failed: 0.01, canceled: 0.01, pending: 0.005, scheduled: 0.005 }

/** What people and dashboards ask, one question after the other, of a small system and of a large one. */
export const reads: Workload = {
  name: 'reads',
  about: `what a dashboard asks, of ${few.toLocaleString('en')} tasks of all statuses and of ten million`,
  count: 10_000_000,
  isOurs: true,
  isLong: true,
  async run(entry, count) {
    const asked: Record<string, Percentiles> = {}
    for (const [size, more] of [
      ['few', few],
      ['all', count - few],
    ] as const) {
      const ids = await ownSql(entry, async (sql) => {
        await fill(sql, mixOf(more))
        return someIds(sql)
      })
      for (const [name, paths] of questions(ids)) asked[`${name}, ${size}`] = await ask(entry, paths)
    }
    return { latencies: asked }
  },
}

function mixOf(count: number) {
  return Object.fromEntries(
    Object.entries(shares).map(([status, share]) => [status, Math.round(share * count)]),
  )
}

async function someIds(sql: pg.Client): Promise<string[]> {
  const text = `select id from tasks tablesample bernoulli (5) order by random() limit ${times}`
  const { rows } = await sql.query<{ id: string }>(text)
  return rows.map(({ id }) => id)
}

function questions(ids: readonly string[]): [name: string, paths: readonly string[]][] {
  const often = (path: string) => Array.from({ length: times }, () => path)
  return [
    ['stats', often('/stats')],
    ['task', ids.map((id) => `/tasks/${id}`)],
    ['list', often('/tasks')],
    ...statuses.map((status): [string, string[]] => [status, often(`/tasks?status=${status}`)]),
  ]
}

async function ask({ own }: Entry, paths: readonly string[]): Promise<Percentiles> {
  const pool = new Pool(own!.apiUrl, { connections: 1 })
  const taken: number[] = []
  for (const path of paths) {
    const fromMs = nowMs()
    const { statusCode, body } = await pool.request({ path, method: 'GET' })
    const answer = await body.text()
    if (statusCode !== 200) throw new Error(`${path}: ${statusCode} ${answer}`)
    taken.push(nowMs() - fromMs)
  }
  await pool.close()
  return percentiles(taken)
}
