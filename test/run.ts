import { globSync } from 'node:fs'
import { join } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { bringBroker } from './support/bring-broker.ts'
import { bringDatabase } from './support/bring-database.ts'

// What `npm test` runs: brings a PostgreSQL and a RabbitMQ, then runs the test files. Arguments choose files.

/** Two files at once keep two cores busy; more only make those that wait for processes wait longer. */
const filesAtOnce = 3
const longestTestMs = 180_000

const root = join(import.meta.dirname, '..')
const files = testFiles(process.argv.slice(2))
if (files.length === 0) fail(`no test file matches ${process.argv.slice(2).join(' ')}`)

// Test files and the processes they start load the same modules a few hundred times.
process.env.NODE_COMPILE_CACHE ??= join(root, 'node_modules/.cache/millrace')

const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort())
// Whatever ends this process, even kill -9, the two end with it.
const [database, broker] = await Promise.all([bringDatabase(say), bringBroker(say)])
if (broker.missing !== undefined) {
  say(`!!! ALL RABBITMQ TESTS ARE SKIPPED: ${broker.missing} !!!`)
  if (process.env.CI) fail('with CI set, skipping them is a failure')
}
Object.assign(process.env, database.env, broker.env)

const counts = await runFiles(files)
await Promise.all([database.stop(), broker.stop()])
const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''
console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`)
process.exit(counts.failed > 0 || counts.passed === 0 ? 1 : 0)

type Counts = { passed: number; failed: number; skipped: number }

function testFiles(patterns: string[]): string[] {
  const wanted = patterns.length > 0 ? patterns : ['test/**/*.test.ts']
  const found = wanted.flatMap((pattern) => globSync(pattern, { cwd: root }))
  return [...new Set(found)].sort().map((file) => join(root, file))
}

function runFiles(files: string[]): Promise<Counts> {
  return new Promise((resolve) => {
    const counts: Counts = { passed: 0, failed: 0, skipped: 0 }
    const results = run({
      files,
      cwd: root,
      concurrency: filesAtOnce,
      timeout: longestTestMs,
      signal: interrupted.signal,
    })
    // A summary without a file is that of the whole run.
    results.on('test:summary', (summary) => {
      if (summary.file !== undefined) return
      counts.passed = summary.counts.passed
      counts.failed = summary.counts.tests - summary.counts.passed - summary.counts.skipped
      counts.skipped = summary.counts.skipped
    })
    const report = results.compose(spec)
    report.pipe(process.stdout, { end: false })
    report.on('end', () => resolve(counts))
  })
}

function say(line: string): void {
  console.error(line)
}

function fail(why: string): never {
  say(why)
  process.exit(1)
}
