import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createLocalRunner } from '../../src/handlers/attempt.ts'
import { loadHandlers } from '../../src/handlers/load-handlers.ts'
import { testFolder } from '../support/folder.ts'
import { keptLog } from './log.ts'
import { claimed } from './task.ts'

/** A folder outside of the package, as a user has it. */
function folderOf(t: TestContext, files: Record<string, string>): string {
  const folder = join(testFolder(t, 'handlers'), 'my tasks')
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

const task = (type: string) => `defineTask({ type: '${type}', run: () => '${type}' })`
const esm = (name: string, type: string) =>
  `import { defineTask } from 'millrace'\nexport const ${name} = ${task(type)}\n`
const typesOf = async (path: string) => [...(await loadHandlers(path)).definitions.keys()].sort()

test('loads a TypeScript module from anywhere, which imports this very package', async (t) => {
  const folder = folderOf(t, {
    'a.ts': `import { defineTask, NonRetryableError } from 'millrace'
      type Input = { n: number }
      export const a = defineTask({ type: 'a', run() { throw new NonRetryableError('no' satisfies string) } })`,
  })
  const { definitions } = await loadHandlers(join(folder, 'a.ts'))
  const verdict = await createLocalRunner({ definitions, log: keptLog().log }).run(claimed({ type: 'a' }))
  assert.ok(verdict.kind === 'failed' && !verdict.retryable)
})

test('loads every kind of module of a folder, and every way to export', async (t) => {
  const folder = folderOf(t, {
    'named.ts': esm('first', 'named'),
    'default.mts': `import { defineTask } from 'millrace'\nexport default ${task('default')}`,
    'list.mjs': `import { defineTask } from 'millrace'\nexport const all = [${task('list.1')}, ${task('list.2')}]`,
    'common.cjs': `const { defineTask } = require('millrace')\nmodule.exports = { one: ${task('common')} }`,
    'common-ts.cts': `const { defineTask } = require('millrace')\nexports.one = ${task('common-ts')} as object`,
    'common-list.cjs': `const { defineTask } = require('millrace')\nmodule.exports = [${task('common.list')}]`,
    'package.json': '{"type":"module"}',
  })
  assert.deepEqual(await typesOf(folder), [
    'common',
    'common-ts',
    'common.list',
    'default',
    'list.1',
    'list.2',
    'named',
  ])
})

test('leaves out tests, declarations, dot files and sub-folders', async (t) => {
  const folder = folderOf(t, {
    'a.ts': `import './lib/shared.ts'\n${esm('a', 'a')}`,
    'a.test.ts': 'throw new Error("a test was loaded")',
    'a.spec.js': 'throw new Error("a test was loaded")',
    'types.d.ts': 'throw new Error("a declaration was loaded")',
    '.hidden.ts': 'throw new Error("a dot file was loaded")',
    'notes.md': '# no module',
    'lib/shared.ts': 'export const shared = 1',
    'lib/broken.ts': 'throw new Error("a sub-folder was loaded")',
    'node_modules/x/index.js': 'throw new Error("node_modules was loaded")',
  })
  assert.deepEqual(await typesOf(folder), ['a'])
})

test('a definition that is exported twice is one', async (t) => {
  const folder = folderOf(t, { 'a.ts': esm('a', 'a'), 'index.ts': `export * from './a.ts'` })
  assert.deepEqual(await typesOf(folder), ['a'])
})

test('two definitions of a type are refused, and both files named', async (t) => {
  const folder = folderOf(t, { 'a.ts': esm('a', 'same'), 'b.ts': esm('b', 'same') })
  await assert.rejects(
    loadHandlers(folder),
    /two handlers have the type same: one in .*a\.ts, one in .*b\.ts/,
  )
})

test('other exports are no concern, whatever they are', async (t) => {
  const folder = folderOf(t, {
    'a.ts': `${esm('a', 'a')}
      export const trap = Object.defineProperty({}, 'x', { enumerable: true, get() { throw new Error('touched') } })
      export const wall = new Proxy({}, { has() { throw new Error('touched') } })
      export const nothing = null, text = 'text', fn = () => 1`,
  })
  assert.deepEqual(await typesOf(folder), ['a'])
})

test('where no task is defined, says what was expected', async (t) => {
  const folder = folderOf(t, { 'a.ts': `export const a = { type: 'a', run() {} }` })
  await assert.rejects(
    loadHandlers(join(folder, 'a.ts')),
    /no task is defined in .*a\.ts: expected .*defineTask\(/,
  )
  await assert.rejects(
    loadHandlers(folder),
    /no task is defined in the 1 modules directly in .*my tasks: expected/,
  )
})

const broken: [string, string, RegExp][] = [
  ['throws', 'throw new RangeError("not on mondays")', /cannot load the handlers of .*a\.ts: not on mondays/],
  ['throws no error', 'throw undefined', /cannot load the handlers of .*a\.ts: the handler threw undefined/],
  ['does not parse', 'export const = 1', /cannot load the handlers of .*a\.ts: /],
  ['imports what is missing', 'import "left-pad"', /a\.ts: Cannot find package 'left-pad'/],
  ['imports without an ending', 'import "./b"', /a\.ts: Cannot find module .* \(relative imports must name/],
  ['uses an enum', 'enum A { B }', /a\.ts: .*enum.* \(Node runs TypeScript by leaving its types out/s],
  [
    'describes a task wrongly',
    'import { defineTask } from "millrace"\ndefineTask({ type: "a b", run() {} })',
    /a\.ts: this is no task definition: type must be/,
  ],
]
for (const [what, text, message] of broken) {
  test(`a module that ${what} is named with the cause`, async (t) => {
    const folder = folderOf(t, { 'a.ts': text, 'b.ts': '' })
    await assert.rejects(loadHandlers(folder), message)
  })
}

test('TypeScript under node_modules is refused with the way out', async (t) => {
  const folder = folderOf(t, { 'node_modules/theirs/a.ts': esm('a', 'a') })
  await assert.rejects(
    loadHandlers(join(folder, 'node_modules/theirs/a.ts')),
    /\(Node runs no TypeScript under node_modules: move the file, or compile it/,
  )
})

test('a path that does not exist is named', async () => {
  await assert.rejects(
    loadHandlers('/nowhere/at all'),
    /cannot read the handlers at \/nowhere\/at all: ENOENT/,
  )
})
