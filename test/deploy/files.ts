import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { settings } from '../../src/runtime/settings.ts'

export const deploy = join(import.meta.dirname, '../../deploy')

export const variables: readonly string[] = Object.values(settings).map(({ variable }) => variable)

export const manifest: { version: string; optionalDependencies: Record<string, string> } = JSON.parse(
  textOf('../package.json'),
)

/** The text of a file of `deploy/`. */
export function textOf(file: string): string {
  return readFileSync(join(deploy, file), 'utf8')
}

/** The variables of an environment file. */
export function environmentIn(file: string): Record<string, string> {
  const lines = textOf(file).split('\n')
  const pairs = lines.filter((line) => /^\w/.test(line)).map((line) => line.split(/=(.*)/s).slice(0, 2))
  return Object.fromEntries(pairs)
}
