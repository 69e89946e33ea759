import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { importFile } from '../../examples/import-rows/import.ts'
import { testFolder } from '../support/folder.ts'
import { runScript } from '../support/process.ts'
import { examples, systemWith } from './system.ts'

test('a file of rows is imported with progress, once however often it is tried', async (t) => {
  const millrace = await systemWith(t, join(examples, 'import-rows/tasks.ts'))
  const path = join(testFolder(t), 'rows.csv')
  writeFileSync(
    path,
    Array.from({ length: 3_500 }, (_, n) => `name ${n};${n === 99 ? -1 : n / 4}\n`).join(''),
  )
  const seen: number[] = []

  assert.equal(await importFile(millrace, path, (stored) => seen.push(stored)), 3_500)
  assert.deepEqual(seen, [1_000, 2_000, 3_000, 3_500])
  await millrace.drain()
  const { counts } = await millrace.stats()
  assert.deepEqual(
    [counts.completed, counts.scheduled],
    [3_499, 1],
    'the one with a negative amount is tried again',
  )

  const again = await runScript(t, [join(examples, 'import-rows/main.ts'), path], {
    env: { MILLRACE_URL: millrace.url },
  })
  assert.match(again.stdout, /^3500 rows in /)
  assert.equal((await millrace.stats()).total, 3_500)
})
