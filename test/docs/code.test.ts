import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { loadHandlers } from '../../src/handlers/load-handlers.ts'
import { testFolder } from '../support/folder.ts'
import { testDatabase } from '../support/postgres.ts'
import { startProcess } from '../support/process.ts'
import { blocksOf, root } from './pages.ts'

for (const [page, types] of [
  ['README.md', ['greet']],
  ['docs/handlers.md', ['image.resize', 'notify']],
] as const) {
  test(`the handlers of ${page} can be loaded`, async (t) => {
    const folder = testFolder(t)
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    const blocks = blocksOf(page, 'ts').filter((block) => block.includes('defineTask('))
    blocks.forEach((block, i) => {
      writeFileSync(join(folder, `block-${i}.ts`), block)
    })
    const { definitions } = await loadHandlers(folder)
    assert.deepEqual([...definitions.keys()].sort(), [...types].sort())
  })
}

test('the TypeScript of the pages has no errors', (t) => {
  const folder = testFolder(t)
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  const pages = ['README.md', ...['handlers', 'events', 'client', 'testing'].map((name) => `docs/${name}.md`)]
  const blocks = pages.flatMap((page) => blocksOf(page, 'ts'))
  const files = blocks.map((block, i) => {
    const file = join(folder, `${fileNamedIn(block) ?? `block-${i}`}.ts`)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(
      file,
      block
        .replace("'millrace'", quoted('index.ts'))
        .replace("'millrace/client'", quoted('client/index.ts'))
        .replace("'millrace/testing'", quoted('testing/index.ts')),
    )
    return file
  })
  assert.ok(files.length > 4)
  const { status, stdout } = spawnSync(join(root, 'node_modules/.bin/tsc'), [...compilerOptions, ...files], {
    encoding: 'utf8',
  })
  assert.equal(status, 0, stdout)
})

const compilerOptions =
  '--ignoreConfig --noEmit --strict --exactOptionalPropertyTypes --skipLibCheck --target es2024 --lib es2024,esnext --module nodenext --types node --allowImportingTsExtensions'.split(
    ' ',
  )

function quoted(file: string): string {
  return `'${join(root, 'src', file)}'`
}

/** Other blocks import the image handler by the name of its file. */
function fileNamedIn(block: string): string | undefined {
  return block.includes("type: 'image.resize'") ? 'my-tasks/resize' : undefined
}

const hasCurl = spawnSync('curl', ['--version']).status === 0

test('the two requests of the README do what it says', {
  skip: hasCurl ? false : 'no curl here',
}, async (t) => {
  const options = { env: { DATABASE_URL: await testDatabase(t), PORT: '0' }, readyWithinMs: 60_000 }
  const [{ url }] = await Promise.all([
    startProcess(t, ['api'], options),
    startProcess(t, ['worker'], options),
  ])
  const [submit, read] = blocksOf('README.md', 'sh')
    .flatMap((block) => block.split('\n'))
    .filter((line) => line.startsWith('curl '))
    .map((line) => line.replace('http://127.0.0.1:8000', url))
  const { id, status } = run(submit!)
  assert.equal(status, 'pending')
  const done = run(read!, { ID: id })
  assert.deepEqual([done.id, done.status, done.result], [id, 'completed', 5])
})

function run(
  line: string,
  env: Record<string, string> = {},
): { id: string; status: string; result: unknown } {
  const { stdout, status } = spawnSync('sh', ['-c', line], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  })
  assert.equal(status, 0)
  return JSON.parse(stdout)
}
