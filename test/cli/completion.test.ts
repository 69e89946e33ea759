import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { completionScript, shells } from '../../src/cli/completion.ts'
import { programOf } from '../../src/cli/program.ts'

const missing = (shell: string) =>
  spawnSync(shell, ['--version']).status === 0 ? false : `no ${shell} on this machine`

function bashCompletes(...words: string[]): string[] {
  const script = `${completionScript('bash', programOf())}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}
_millrace; printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-euc', script], { encoding: 'utf8' })
  assert.equal(stderr, '')
  return stdout.trim().split('\n')
}

describe('completion', () => {
  it('in bash knows commands, options and values', { skip: missing('bash') }, () => {
    assert.deepEqual(bashCompletes('millrace', 'can'), ['cancel'])
    assert.ok(bashCompletes('millrace', '').includes('submit'))
    assert.deepEqual(bashCompletes('millrace', 'list', '--created-'), ['--created-after', '--created-before'])
    assert.deepEqual(bashCompletes('millrace', 'submit', '--priority', ''), ['low', 'normal', 'high'])
    assert.deepEqual(bashCompletes('millrace', 'list', '-o', 'j'), ['json', 'jsonl'])
    assert.deepEqual(bashCompletes('millrace', 'completion', 'f'), ['fish'])
  })

  for (const shell of shells) {
    it(`for ${shell} is a script that ${shell} can read, with every command`, () => {
      const program = programOf()
      const script = completionScript(shell, program)
      for (const command of program.commands) assert.match(script, new RegExp(`\\b${command.name()}\\b`))
      if (missing(shell)) return
      const { status, stderr } = spawnSync(shell, ['-n', '-c', script], { encoding: 'utf8' })
      assert.deepEqual({ status, stderr }, { status: 0, stderr: '' })
    })
  }
})
