import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, it } from 'node:test'

const check = join(import.meta.dirname, '../require-node.js')

describe('a Node.js that is too old', () => {
  it('is told so in one sentence, before it stumbles over a file', () => {
    const { status, stderr } = runAs('20.20.2')

    assert.equal(status, 1)
    assert.match(
      stderr,
      /^Millrace needs Node\.js \d+\.\d+ or newer and this is 20\.20\.2 \(.+\): install .+\.\n$/,
    )
  })

  it('is one below the version that the package asks for, in any part of it', () => {
    assert.equal(runAs('22.17.9').status, 1)
    assert.equal(runAs('9.99.0').status, 1)
  })

  it('is not the version itself or a newer one', () => {
    for (const version of ['22.18.0', '22.18.1', '24.0.0', '100.1.0'])
      assert.deepEqual(runAs(version), { status: 0, stderr: '' }, version)
  })
})

function runAs(version: string): { status: number | null; stderr: string } {
  const pretend = `Object.defineProperty(process.versions, 'node', { value: '${version}' })`
  const args = [
    '--import',
    `data:text/javascript,${encodeURIComponent(pretend)}`,
    '--import',
    check,
    '--eval',
    '',
  ]
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  return { status, stderr }
}
