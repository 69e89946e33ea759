import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { findKinds } from '../trial/plan.ts'
import { guards } from './guards.ts'
import { edited } from './mutant.ts'

const root = join(import.meta.dirname, '../../..')

test('each guard that mutants lack is where they look for it', () => {
  for (const { edits } of guards) {
    for (const edit of edits) {
      const source = readFileSync(join(root, edit.file), 'utf8')
      assert.notEqual(edited(source, edit), source)
    }
  }
})

test('the faults that mutants are met with exist', async () => {
  const kinds = await findKinds()
  for (const { guard, kinds: wanted, transport } of guards) {
    const found = wanted
      .split(',')
      .filter((name) =>
        kinds.some(({ kind, transports }) => kind.includes(name) && transports.includes(transport)),
      )
    assert.deepEqual(found, wanted.split(','), guard)
  }
})
