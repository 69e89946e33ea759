import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { StoreUnavailableError } from '../../src/domain/errors.ts'
import type { Times } from '../../src/domain/rollup.ts'
import { tallyBook } from '../../src/usecases/tally.ts'
import { handClock, keptLog, settled } from '../support/doubles.ts'

const task = { queue: 'q', type: 't' }

function underTest() {
  const clock = handClock()
  const { log, lines } = keptLog()
  const written: (readonly Times[])[] = []
  const state = { away: false }
  const store = {
    async addTimes(times: readonly Times[]) {
      if (state.away) throw new StoreUnavailableError('away')
      written.push(times)
    },
  }
  return { clock, lines, written, state, tally: tallyBook({ store, sleep: clock.sleep, log }) }
}

describe('how long tasks take', () => {
  it('is written down every ten seconds, together, and not when there is nothing', async () => {
    const { clock, written, tally } = underTest()
    tally.waited({ ...task, waitedMs: 0 })
    tally.waited({ ...task, waitedMs: 2 })
    tally.ran(task, 1)
    tally.ran({ queue: 'q', type: 'other' }, 1)
    assert.deepEqual(written, [])
    await clock.pass(10_000)
    await settled()
    assert.deepEqual(written, [
      [
        { queue: 'q', type: 't', waiting: [1, 0, 0, 0, 1], running: [1] },
        { queue: 'q', type: 'other', waiting: [], running: [1] },
      ],
    ])
    await clock.pass(10_000)
    await settled()
    assert.equal(written.length, 1)
  })

  it('is written down at the end', async () => {
    const { written, tally } = underTest()
    tally.ran(task, 1)
    await tally.stop()
    assert.deepEqual(written, [[{ queue: 'q', type: 't', waiting: [], running: [1] }]])
  })

  it('is left out while the database is away, which is said once', async () => {
    const { clock, lines, written, state, tally } = underTest()
    state.away = true
    for (let n = 0; n < 2; n++) {
      tally.ran(task, 1)
      await clock.pass(10_000)
      await settled()
    }
    assert.equal(lines.length, 1)
    state.away = false
    tally.ran(task, 4)
    await tally.stop()
    assert.deepEqual(written, [
      [{ queue: 'q', type: 't', waiting: [], running: [0, 0, 0, 0, 0, 0, 0, 0, 1] }],
    ])
  })
})
