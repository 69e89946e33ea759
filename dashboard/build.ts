import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { build } from 'vite'
import { builtFrom, dashboardFolder, sourcesDigest } from '../src/main/dashboard.ts'

// Builds the page into `dist`, each file compressed beside itself, and writes down what it was built from. Whoever reads
// `dist` meanwhile sees the old page or the new one.

const digest = sourcesDigest()
const next = join(import.meta.dirname, `.dist-${process.pid}`)
try {
  await build({
    configFile: join(import.meta.dirname, 'vite.config.ts'),
    logLevel: 'warn',
    build: { outDir: next },
  })
  for (const file of filesIn(next)) compress(file)
  writeFileSync(join(next, builtFrom), digest)
  mkdirSync(dashboardFolder, { recursive: true })
  rmSync(dashboardFolder, { recursive: true })
  renameSync(next, dashboardFolder)
} finally {
  rmSync(next, { recursive: true, force: true })
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

function compress(file: string): void {
  if (/\.(woff2|png)$/.test(file)) return
  const text = readFileSync(file)
  writeFileSync(`${file}.gz`, gzipSync(text, { level: 9 }))
  writeFileSync(
    `${file}.br`,
    brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } }),
  )
}
