import assert from 'node:assert/strict'
import { it } from 'node:test'
import { playRaces } from '../faults/races/races.ts'
import { testDatabase } from '../support/postgres.ts'

it('leaves each task as some order of the moves would that met on it', async (t) => {
  const databases = await Promise.all([testDatabase(t), testDatabase(t)])
  const { races, waits } = await playRaces({
    databases,
    races: 2_000,
    seed: 1,
    after: (undo) => t.after(undo),
  })

  assert.ok(races >= 2_000)
  assert.ok(waits > 100)
})
