import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { test } from 'node:test'
import { codeIn, root, tableOf, textOf } from './pages.ts'

/** Channels of notices, and the cookie. */
const others = ['millrace_canceled', 'millrace_queues', 'millrace_session']

test('the page on metrics has every metric, and none that there is not', () => {
  const sources = globSync('src/**/*.ts', { cwd: root }).map(textOf).join('\n')
  const made = [...sources.matchAll(/'((?:millrace|process)_[a-z_]+)'/g)].map(([, name]) => name!)
  const rows = ['## Of the installation', '## Of the process'].flatMap((heading) =>
    tableOf('docs/metrics.md', ['metric', 'labels', ''], heading),
  )
  assert.deepEqual(
    rows.flatMap(([metric]) => codeIn(metric ?? '')).sort(),
    [...new Set(made)].filter((name) => !others.includes(name)).sort(),
  )
})
