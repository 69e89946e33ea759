import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { problems } from '../../src/api/problem.ts'
import { statuses } from '../../src/domain/task.ts'
import { settings } from '../../src/runtime/settings.ts'
import { blocksOf, codeIn, pages, root, tableOf, textOf } from './pages.ts'

type Manifest = Record<
  'scripts' | 'dependencies' | 'optionalDependencies' | 'devDependencies',
  Record<string, string>
>
const manifest: Manifest = JSON.parse(textOf('package.json'))

test('the README has every setting, with its default and its meaning', () => {
  const rows = tableOf('README.md', ['variable', 'default', 'meaning'])
  const known = Object.values(settings).map(({ variable, byDefault, meaning }) => [
    `\`${variable}\``,
    byDefault,
    meaning,
  ])
  assert.deepEqual(rows, known)
})

test('the page on running it speaks of every setting', () => {
  const page = textOf('docs/running.md')
  const missing = Object.values(settings).filter(({ variable }) => !page.includes(`\`${variable}\``))
  assert.deepEqual(
    missing.map(({ variable }) => variable),
    [],
  )
})

test('CONTRIBUTING names each dependency, and none that is gone', () => {
  const { dependencies, optionalDependencies, devDependencies } = manifest
  const used = Object.keys({ ...dependencies, ...optionalDependencies, ...devDependencies })
  const tables = textOf('CONTRIBUTING.md').split('## Dependencies')[1] ?? ''
  const named = tables
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => codeIn(line.split('|')[1] ?? ''))
  const isNamed = (name: string, other: string) =>
    other === name || (other.endsWith('/*') && name.startsWith(other.slice(0, -1)))
  assert.deepEqual(
    used.filter((name) => !named.some((other) => isNamed(name, other))),
    [],
    'these are used and not named',
  )
  assert.deepEqual(
    named.filter((other) => !used.some((name) => isNamed(name, other))),
    [],
    'these are named and not used',
  )
})

test('every npm script that a page tells to run exists', () => {
  const told = commands().flatMap((line) => [...line.matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g)])
  const names = told.map(([, script, short]) => script ?? short!)
  assert.ok(names.includes('start') && names.includes('demo') && names.includes('test'))
  assert.deepEqual(
    names.filter((name) => !(name in manifest.scripts)),
    [],
  )
})

test('every command of millrace that a page tells to run exists, and all are in the page on the command line', () => {
  const sources = globSync('src/cli/commands/*.ts', { cwd: root }).map(textOf).join('\n')
  const known = [...sources.matchAll(/new Command\('(\w+)'\)/g)].map(([, name]) => name!)
  const told = commands().flatMap((line) =>
    [...line.matchAll(/\bmillrace ([a-z]+)/g)].map(([, name]) => name!),
  )
  assert.deepEqual(
    told.filter((name) => !known.includes(name)),
    [],
  )
  const described = codeIn(textOf('docs/cli.md').split('**Output.**')[0] ?? '').flatMap(
    (code) => code.match(/^millrace (\w+)$/)?.[1] ?? [],
  )
  assert.deepEqual([...new Set(described)].sort(), [...known].sort())
})

test('the page on states has every status, and statements that exist', () => {
  const rows = tableOf('docs/states.md', ['status', 'meaning'])
  assert.deepEqual(
    rows.map(([status]) => status),
    statuses.map((status) => `\`${status}\``),
  )
  const moves = tableOf('docs/states.md', ['from', 'to', 'when', 'statement'])
  const storage = globSync('src/storage/*.ts', { cwd: root }).map(textOf).join('\n')
  const named = moves.flatMap(([, , , statement]) => codeIn(statement ?? ''))
  assert.ok(named.length >= moves.length)
  assert.deepEqual(
    named.filter((name) => !storage.includes(`name: '${name}'`)),
    [],
  )
})

test('the page on HTTP has every code of a problem, under its status', () => {
  const rows = tableOf('docs/http.md', ['status', 'codes'])
  const isProblem = (code: string): code is keyof typeof problems => code in problems
  const described = rows.flatMap(([status, codes]) =>
    codeIn(codes ?? '')
      .filter(isProblem)
      .map((code) => [code, status]),
  )
  assert.deepEqual(described.map(([code]) => code).sort(), Object.keys(problems).sort())
  for (const [code, { status }] of Object.entries(problems)) {
    const [, shown] = described.find(([name]) => name === code)!
    assert.ok(shown!.split(', ').includes(String(status)), `${code} is a ${status} and stands under ${shown}`)
  }
})

test('what a process says is quoted as it says it', () => {
  const sources = globSync('{src,bin}/**/*.{ts,js}', { cwd: root }).map(textOf).join('\n')
  const rows = [
    ...tableOf('docs/running.md', ['it says', 'do']),
    ...tableOf('docs/running.md', ['it says, or you see', 'do']),
  ]
  // The system's own words.
  const quotes = rows
    .flatMap(([says]) => codeIn(says!))
    .filter((quote) => !/^(listen|GET) |^[a-z]+$/.test(quote))
  assert.ok(quotes.length > 30)
  const wrong = quotes.filter((quote) => !partsOf(quote).every((part) => sources.includes(part)))
  assert.deepEqual(wrong, [])
})

/** An ellipsis stands for what differs. */
function partsOf(quote: string): string[] {
  return quote
    .split('…')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

/** The lines of all shell blocks, without their comments, and the commands named in running text. */
function commands(): string[] {
  const lines = pages().flatMap((page) => blocksOf(page, 'sh').flatMap((block) => block.split('\n')))
  const inline = pages().flatMap((page) =>
    codeIn(textOf(page)).filter((code) => /^(npm|npx|millrace) /.test(code)),
  )
  return [...lines, ...inline].map((line) => line.replace(/(^|\s)#.*$/, ''))
}

test('the pages were found', () => {
  for (const page of ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', join('docs', 'running.md')]) {
    assert.ok(pages().includes(page), page)
  }
})
