import { spawn } from 'node:child_process'
import { hash } from 'node:crypto'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Where the built page is. */
export const dashboardFolder = join(root, 'dashboard', 'dist')

/** The file in it that says what it was built from. */
export const builtFrom = '.built-from'

/** What the page is made of, in a word. */
export function sourcesDigest(): string {
  const patterns = [
    'dashboard/{src,public}/**/*',
    'dashboard/*.{ts,html}',
    'src/client/*.ts',
    'package-lock.json',
  ]
  const files = patterns.flatMap((pattern) => globSync(pattern, { cwd: root, withFileTypes: true }))
  const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name))
  const parts = paths
    .sort()
    .map((path) => `${path.slice(root.length)}\n${hash('sha256', readFileSync(path))}`)
  return hash('sha256', parts.join('\n'))
}

/**
 * Builds the page if it is not there or was built from other sources, and says what it did. It is no reason to fail:
 * without the page everything else works, and a sentence tells why it is missing.
 */
export async function bringDashboard(): Promise<string> {
  // A published package has the page and not what it is made of.
  if (!existsSync(join(root, 'dashboard', 'src'))) return isBuilt() ? 'as published' : 'not in this package'
  if (isFresh()) return 'up to date'
  if (!existsSync(join(root, 'node_modules', 'vite')))
    return `${isBuilt() ? 'an older one' : 'not built'}: npm ci brings what builds it`
  const failure = await runBuild()
  return failure === undefined ? 'built' : `${isBuilt() ? 'an older one' : 'not built'}: ${failure}`
}

function isBuilt(): boolean {
  return existsSync(join(dashboardFolder, 'index.html'))
}

function isFresh(): boolean {
  const note = join(dashboardFolder, builtFrom)
  return existsSync(note) && readFileSync(note, 'utf8') === sourcesDigest()
}

const longestBuildMs = 120_000

/** Answers what went wrong, in a line. In a process of its own, so that what builds is gone when it has built. */
function runBuild(): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(root, 'dashboard', 'build.ts')], {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: longestBuildMs,
    })
    const killed = () => child.kill('SIGKILL')
    process.once('exit', killed)
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4_000)
    })
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code, signal) => {
      process.off('exit', killed)
      resolve(code === 0 ? undefined : (lastLine(said) ?? `the build ended with ${signal ?? code}`))
    })
  })
}

function lastLine(text: string): string | undefined {
  return text
    .split('\n')
    .find((line) => /error/i.test(line))
    ?.trim()
}
