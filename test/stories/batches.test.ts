import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { assertCountsExact } from '../conformance/system.ts'
import { readCrashPoint, trapFileOf, trapText } from '../faults/crash/point.ts'
import { testFolder } from '../support/folder.ts'
import { query, testDatabase } from '../support/postgres.ts'
import type { TestProcess } from '../support/process.ts'
import { until } from '../support/until.ts'
import { deploy } from './deployment.ts'

const TASKS = join(import.meta.dirname, '../fixtures/tasks.ts')
const hook = new URL('../faults/crash/hook.ts', import.meta.url).href

/** The process ends with SIGKILL when it gets there. */
async function setTrap(t: TestContext, { pid, kill }: TestProcess, at: string): Promise<void> {
  const file = trapFileOf(pid)
  writeFileSync(file, trapText({ point: readCrashPoint(at), nth: 1, hitFile: join(testFolder(t), 'hit') }))
  kill('SIGUSR2')
  await until(() => !existsSync(file), { what: 'the trap is set' })
}

// biome-ignore lint/suspicious/noExplicitAny: what an HTTP reply holds is what the tests are about
async function ask(url: string, body?: string): Promise<any> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(url, body === undefined ? {} : { method: 'POST', headers, body })
  return response.json()
}

for (const at of [
  'after statement tasks.complete',
  'before statement batches.finish',
  'after statement batches.finish',
  'after statement tasks.submit',
  'during statement batch-sequels.note',
  'after statement batch-sequels.note',
]) {
  it(`submits what comes then once when a worker dies ${at}`, async (t) => {
    const DATABASE_URL = await testDatabase(t)
    const { startApi, startWorker } = await deploy(t, { DATABASE_URL, TASKS })
    const api = await startApi()
    const doomed = await startWorker({ NODE_OPTIONS: `--import=${hook}` })
    await setTrap(t, doomed, at)
    const task = '{"type":"noop","payload":null}'
    const body = `{"tasks":[${Array(20).fill(task)}],"then":{"type":"echo"}}`

    const { batchId } = await ask(`${api.url}/tasks/batch`, body)
    const sequel = async () => (await ask(`${api.url}/batches/${batchId}?wait=1`)).thenId
    // Another process may have been faster; then the trap is not met.
    await Promise.race([doomed.exited, until(sequel, { what: 'the batch is finished' })])
    await startWorker()

    const id = await until(sequel, { what: 'what comes then', deadlineMs: 40_000 })
    const { status, result } = await ask(`${api.url}/tasks/${id}?wait=20`)
    assert.equal(status, 'completed')
    assert.equal(JSON.parse(result).counts.completed, 20)
    const [row] = await query<{ n: number }>(
      DATABASE_URL,
      `select count(*)::int as n from millrace.tasks where type = 'echo'`,
    )
    assert.equal(row?.n, 1)
    await assertCountsExact(DATABASE_URL)
  })
}

it('keeps a beginning of the lines when the api dies during an import, and stores the rest once', async (t) => {
  const DATABASE_URL = await testDatabase(t)
  const { startApi } = await deploy(t, { DATABASE_URL })
  const doomed = await startApi()
  const lines = Array.from({ length: 20_000 }, (_, i) => `{"payload":${i},"idempotencyKey":"row ${i}"}\n`)
  let sent = 0
  const body = new ReadableStream({
    async pull(controller) {
      if (sent >= 10_000) doomed.kill('SIGKILL')
      controller.enqueue(new TextEncoder().encode(lines.slice(sent, sent + 1_000).join('')))
      sent += 1_000
      if (sent >= lines.length) controller.close()
    },
  })
  const headers = { 'content-type': 'application/x-ndjson' }
  const broken = fetch(`${doomed.url}/tasks/import`, {
    method: 'POST',
    headers,
    body,
    duplex: 'half',
  } as RequestInit)
  await assert.rejects(broken.then((response) => response.text()))
  const stored = await query<{ n: number }>(
    DATABASE_URL,
    'select payload::text::int as n from millrace.tasks order by id',
  )
  assert.deepEqual(
    stored.map(({ n }) => n),
    Array.from({ length: stored.length }, (_, i) => i),
  )

  const api = await startApi()
  const again = await fetch(`${api.url}/tasks/import`, { method: 'POST', headers, body: lines.join('') })
  const answers = (await again.text()).trim().split('\n')

  assert.equal(answers.length, lines.length)
  assert.ok(answers.every((answer) => 'id' in JSON.parse(answer)))
  const [row] = await query<{ n: number }>(
    DATABASE_URL,
    'select count(distinct payload::text)::int as n from millrace.tasks having count(*) = 20000',
  )
  assert.equal(row?.n, 20_000)
  await assertCountsExact(DATABASE_URL)
})
