import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { asExpected } from './everything.ts'
import { fakeMillrace } from './fake-millrace.ts'

const program = join(import.meta.dirname, 'everything-program.ts')
const runtimes: Record<string, [string, ...string[]]> = {
  'Node.js': [process.execPath],
  Bun: ['bun', 'run'],
  Deno: ['deno', 'run', '--quiet', '--no-config', '--allow-net=127.0.0.1'],
}

// Bun and Deno are tested where they are installed.
const here = Object.entries(runtimes).filter(
  ([, [command]]) => spawnSync(command, ['--version']).status === 0,
)

for (const [name, [command, ...args]] of here) {
  test(`the client works in ${name}`, async (t) => {
    const fake = await fakeMillrace({ finishes: true })
    t.after(() => fake.close())
    const { stdout } = await promisify(execFile)(command, [...args, program, fake.url], { timeout: 60_000 })
    assert.deepEqual(JSON.parse(stdout), asExpected)
  })
}
