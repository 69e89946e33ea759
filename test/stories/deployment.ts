import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createClient } from '../../src/client/index.ts'
import { makeFolder, removeFolder } from '../support/folder.ts'
import { query } from '../support/postgres.ts'
import { startProcess } from '../support/process.ts'
import { until } from '../support/until.ts'

type Environment = Record<string, string>

/** Real api and worker processes on a database, with handlers that write down what they do. */
export async function deploy(t: TestContext, env: Environment & { DATABASE_URL: string }) {
  const folder = makeFolder('story')
  const recordFile = join(folder, 'record')
  writeFileSync(recordFile, '')
  t.after(() => removeFolder(folder))
  const settings = {
    TASKS: join(import.meta.dirname, '../fixtures/recorded-tasks.ts'),
    RECORD_FILE: recordFile,
    LOG_LEVEL: 'warn',
    PORT: '0',
    ...env,
  }
  const startApi = (more: Environment = {}) => startProcess(t, ['api'], { env: { ...settings, ...more } })
  const startWorker = (more: Environment = {}) =>
    startProcess(t, ['worker'], { env: { ...settings, ...more } })
  return { startApi, startWorker, record: () => readRecord(recordFile), counts, untilCounts }

  /** By status, as the rows themselves say. */
  async function counts(): Promise<Record<string, number>> {
    const rows = await query<{ status: string; n: number }>(
      env.DATABASE_URL,
      'select status::text, count(*)::int as n from millrace.tasks group by 1',
    )
    return Object.fromEntries(rows.map(({ status, n }) => [status, n]))
  }

  async function untilCounts(expected: Record<string, number>, deadlineMs = 60_000): Promise<void> {
    const same = async () => {
      const seen = await counts()
      if (Object.entries(expected).every(([status, n]) => (seen[status] ?? 0) === n)) return true
      throw new Error(JSON.stringify(seen))
    }
    await until(same, { deadlineMs, what: JSON.stringify(expected) })
  }
}

export type Line = { what: string; id: string; attempt: number; pid: number; atMs: number }

function readRecord(file: string): Line[] {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean)
  return lines.map((line) => {
    const [what = '', id = '', attempt, pid, atMs] = line.split(' ')
    return { what, id, attempt: Number(attempt), pid: Number(pid), atMs: Number(atMs) }
  })
}

/** Submits in batches and answers the ids. */
export async function submitMany(url: string, count: number, task: { type: string; payload: unknown }) {
  const client = createClient({ url })
  const ids: string[] = []
  for (let left = count; left > 0; left -= 500) {
    const tasks = Array.from({ length: Math.min(500, left) }, () => task)
    ids.push(...(await client.submitBatch(tasks)).ids)
  }
  return ids
}
