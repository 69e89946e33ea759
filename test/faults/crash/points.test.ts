import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readCrashPoint } from './point.ts'
import { namedPoints } from './points.ts'

const sources = globSync('src/**/*.ts', { cwd: join(import.meta.dirname, '../../..') }).map((file) =>
  readFileSync(join(import.meta.dirname, '../../..', file), 'utf8'),
)

test('every point is one of the traces of the sources, under a name that is there', () => {
  for (const { at } of namedPoints) {
    const { trace, name } = readCrashPoint(at)
    assert.ok(isInSources(`'millrace.${trace}'`), at)
    assert.ok(name === undefined || isInSources(`'${name}'`), at)
  }
})

test('every point is there once', () => {
  const texts = namedPoints.map(({ at }) => at)
  assert.deepEqual(texts, [...new Set(texts)])
})

function isInSources(text: string): boolean {
  return sources.some((source) => source.includes(text))
}
