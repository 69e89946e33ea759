import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type ProcessOptions, runScript } from '../support/process.ts'

export const program = join(import.meta.dirname, '../../bin/millrace.js')

/** Runs the command as `npx millrace` does, against the server at `url`. */
export function runMillrace(
  t: TestContext,
  args: readonly string[],
  { url, ...options }: ProcessOptions & { url?: string; input?: string } = {},
) {
  const env = { ...(url === undefined ? {} : { MILLRACE_URL: url }), ...options.env }
  return runScript(t, [program, ...args], { ...options, env })
}
