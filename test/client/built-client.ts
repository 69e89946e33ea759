import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { testFolder } from '../support/folder.ts'

const root = join(import.meta.dirname, '../..')
const options =
  '--ignoreConfig --strict --skipLibCheck --target es2023 --module es2022 --moduleResolution bundler --rewriteRelativeImportExtensions --removeComments'

/** The client as JavaScript, file by file, checked against what a browser has and without the types of Node.js. */
export function builtClient(t: TestContext): Map<string, string> {
  const folder = testFolder(t)
  const args = [...options.split(' '), '--lib', 'es2023,dom,dom.iterable', '--types', '', '--outDir', folder]
  const { status, stdout } = spawnSync(
    join(root, 'node_modules/.bin/tsc'),
    [...args, join(root, 'src/client/index.ts')],
    { encoding: 'utf8', cwd: folder },
  )
  if (status !== 0) throw new Error(`the client does not compile for browsers:\n${stdout}`)
  return new Map(readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), 'utf8')]))
}
