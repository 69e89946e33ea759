import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '..')

/**
 * What a folder may import of the others. `cli`, `main` and `testing` may import anything, and `src/index.ts` is made of
 * them.
 */
const mayImport: Record<string, readonly string[]> = {
  domain: [],
  runtime: [],
  storage: ['domain'],
  broker: ['domain'],
  usecases: ['domain'],
  api: ['domain', 'usecases'],
  handlers: ['domain'],
  embedded: ['runtime'],
  client: [],
}
const wiring = ['cli', 'main', 'testing']

/** What they may import of Node.js and npm: the rest may import anything. */
const outside: Record<string, RegExp> = {
  domain: /^node:crypto$/,
  usecases: /^$/,
  client: /^$/,
}

type Import = { file: string; folder: string; target: string }

test('imports point one way', () => {
  const wrong = imports()
    .filter(({ folder }) => folder in mayImport)
    .filter(({ file, folder, target }) => {
      const to = folderOf(file, target)
      return to !== undefined && to !== folder && !mayImport[folder]!.includes(to)
    })
    .map(({ file, target }) => `${file} must not import ${target}`)
  assert.deepEqual(wrong, [])
})

test('what decides, and what runs in browsers, needs no package', () => {
  const wrong = imports()
    .filter(
      ({ folder, target }) => folder in outside && !target.startsWith('.') && !outside[folder]!.test(target),
    )
    .map(({ file, target }) => `${file} must not import ${target}`)
  assert.deepEqual(wrong, [])
})

test('every folder of the sources has its rule', () => {
  const folders = new Set(sources().map((file) => folderIn(file)))
  folders.delete('')
  assert.deepEqual([...folders].sort(), [...Object.keys(mayImport), ...wiring].sort())
})

test('the environment is read where processes begin, and handed on as values', () => {
  // PostgreSQL's processes get a PATH; that is no setting of ours.
  const allowed = /^src\/(main|cli)\/|^src\/embedded\/settings\.ts$/
  const wrong = sources().filter((file) => !allowed.test(file) && readsEnvironment(textOf(file)))
  assert.deepEqual(wrong, [])
})

test('relative imports are found in every form that they have', () => {
  const text = `import a from '../storage/a.ts'\nexport * from "../broker/b.ts"\nimport '../api/c.ts'\nconst d = await import('../main/d.ts')\nnew URL('../cli/e.ts', import.meta.url)`
  const found = targetsIn(text)
  assert.deepEqual(found, ['../storage/a.ts', '../broker/b.ts', '../api/c.ts', '../main/d.ts', '../cli/e.ts'])
  assert.equal(folderOf('src/domain/x.ts', '../storage/a.ts'), 'storage')
})

function sources(): string[] {
  return globSync('src/**/*.ts', { cwd: root }).map((file) => file.replaceAll('\\', '/'))
}

function textOf(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

function imports(): Import[] {
  return sources().flatMap((file) =>
    targetsIn(textOf(file)).map((target) => ({ file, folder: folderIn(file), target })),
  )
}

function targetsIn(text: string): string[] {
  const forms = /(?:\bfrom|^\s*import|\bimport\(|\bnew URL\(|import\.meta\.resolve\()\s*['"]([^'"\n]+)['"]/gm
  return [...text.matchAll(forms)].map(([, target]) => target!)
}

/** `domain` of `src/domain/id.ts`; empty for what lies directly in `src`. */
function folderIn(file: string): string {
  return file.match(/^src\/([^/]+)\//)?.[1] ?? ''
}

/** The folder of the sources that a relative import leads to; undefined for packages and what lies outside of `src`. */
function folderOf(file: string, target: string): string | undefined {
  if (!target.startsWith('.')) return undefined
  const path = normalize(join(dirname(file), target)).replaceAll('\\', '/')
  return path.startsWith('src/') ? folderIn(path) || 'index' : undefined
}

function readsEnvironment(text: string): boolean {
  return /\bprocess\.env\b|\benv\b[^;\n]*from 'node:process'/.test(text)
}
