import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { until } from '../support/until.ts'
import { program } from './run-millrace.ts'

/** Why there can be no terminal here, if so. */
export const noTerminal =
  spawnSync('script', ['--version']).status === 0 ? false : 'no script(1) on this machine, to make a terminal'

/** Runs the command on a terminal of 80 columns and 24 rows. */
export function onTerminal(t: TestContext, args: readonly string[], url: string) {
  const words = [process.execPath, program, ...args].map((word) => `'${word}'`)
  const line = ['stty cols 80 rows 24;', 'exec', ...words].join(' ')
  const child = spawn('script', ['-qfec', line, '/dev/null'], {
    env: { ...process.env, MILLRACE_URL: url, TERM: 'xterm', NO_COLOR: '1' },
  })
  t.after(() => void child.kill('SIGKILL'))
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text
  })
  const closed = once(child, 'close')
  return {
    output: () => output,
    type: (keys: string) => void child.stdin.write(keys),
    shows: (words: RegExp) => until(() => words.test(output), { what: `${words} on the terminal` }),
    async exitCode(): Promise<number> {
      const [code] = await closed
      return code
    },
  }
}
