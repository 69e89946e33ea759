import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { blocksOf } from '../docs/pages.ts'
import { systemWith } from './system.ts'

const hasPython = spawnSync('python3', ['--version']).status === 0

test('what the page on migrating tells Python programs to do works', {
  skip: hasPython ? false : 'no Python here',
}, async (t) => {
  const millrace = await systemWith(t, 'examples/default.ts')
  const [program] = blocksOf('docs/migrating.md', 'python').map((block) =>
    block.replace('http://127.0.0.1:8000', millrace.url),
  )
  const { stdout } = await promisify(execFile)('python3', ['-c', program!])
  const [id, status] = stdout.trim().split(' ')
  assert.equal(status, 'pending')
  assert.deepEqual((await millrace.get(id!)).payload, { url: 'https://example.com/a.png', width: 320 })
})
