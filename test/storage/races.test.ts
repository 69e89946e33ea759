import assert from 'node:assert/strict'
import { test } from 'node:test'
import { playMix } from '../faults/races/mix.ts'
import { playRaces } from '../faults/races/races.ts'
import { testDatabase } from '../support/postgres.ts'

// Short versions of the figures `races` and `statement-mix` in test/faults/figures.

test('moves that meet on a task leave it as some order of them would', async (t) => {
  const databases = [await testDatabase(t), await testDatabase(t)]

  const { races, waits } = await playRaces({
    databases,
    races: 1_000,
    seed: 1,
    after: (undo) => t.after(undo),
  })

  assert.ok(races >= 600)
  assert.ok(waits > 0)
})

test('every statement sixteen times at once fails nobody and leaves exact counts', async (t) => {
  const database = await testDatabase(t)
  const mix = {
    database,
    ways: 16,
    durationMs: 3_000,
    seed: 1,
    after: (undo: () => unknown) => t.after(undo),
  }

  const { errors, flaws } = await playMix(mix)

  assert.deepEqual([errors, flaws], [[], []])
})
