import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { builtClient } from './built-client.ts'

test('the client compiles for browsers, and is at most 10 kB with gzip before anything is minified', (t) => {
  const files = builtClient(t)
  const sizeBytes = gzipSync([...files.values()].join('\n')).length
  t.diagnostic(`${files.size} files, ${sizeBytes} bytes`)
  assert.ok(files.has('index.js') && sizeBytes <= 10_000, `${sizeBytes} bytes`)
})
