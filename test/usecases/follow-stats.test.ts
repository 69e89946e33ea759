import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { StoreUnavailableError } from '../../src/domain/errors.ts'
import type { Snapshot } from '../../src/domain/stats.ts'
import { followingStats } from '../../src/usecases/follow-stats.ts'
import { handClock, settled } from '../support/doubles.ts'

/** A system whose total the test sets. */
function underTest() {
  const clock = handClock()
  const state = { total: 1, looks: 0, away: false }
  const reader = {
    async snapshot() {
      state.looks++
      if (state.away) throw new StoreUnavailableError('away')
      return { total: state.total } as Snapshot
    },
  }
  const { followStats } = followingStats({ reader, sleep: clock.sleep })
  return { clock, state, followStats }
}

function told(snapshots: AsyncIterable<Snapshot>) {
  const totals: number[] = []
  const state = { totals, isOver: false }
  void (async () => {
    for await (const { total } of snapshots) totals.push(total)
    state.isOver = true
  })()
  return state
}

async function pass(clock: ReturnType<typeof handClock>, ms: number) {
  await clock.pass(ms)
  await settled()
}

const never = new AbortController().signal

describe('following how the system stands', () => {
  it('tells it at once, and then when it has changed', async () => {
    const { clock, state, followStats } = underTest()
    const { totals } = told(followStats(never))
    await settled()
    assert.deepEqual(totals, [1])
    await pass(clock, 1_000)
    assert.deepEqual(totals, [1])
    state.total = 2
    await pass(clock, 1_000)
    assert.deepEqual(totals, [1, 2])
  })

  it('looks once a second for all, and not at all when nobody follows', async () => {
    const { clock, state, followStats } = underTest()
    const stopping = new AbortController()
    const followers = Array.from({ length: 50 }, () => told(followStats(stopping.signal)))
    await settled()
    const before = state.looks
    state.total = 2
    await pass(clock, 1_000)
    assert.equal(state.looks - before, 1)
    assert.ok(followers.every(({ totals }) => totals.at(-1) === 2))

    stopping.abort()
    await settled()
    assert.ok(followers.every(({ isOver }) => isOver))
    await pass(clock, 1_000)
    assert.deepEqual(clock.sleeping(), [])
  })

  it('gives one who is slow only the latest', async () => {
    const { clock, state, followStats } = underTest()
    const slow = followStats(never)
    await slow.next()
    const { totals } = told(followStats(never))
    for (state.total = 2; state.total < 5; state.total++) await pass(clock, 1_000)
    assert.deepEqual(totals, [1, 2, 3, 4])
    assert.equal((await slow.next()).value?.total, 4)
  })

  it('fails at the beginning of an outage, and goes on after one that comes later', async () => {
    const { clock, state, followStats } = underTest()
    state.away = true
    await assert.rejects(followStats(never).next(), StoreUnavailableError)
    state.away = false
    const { totals, isOver } = told(followStats(never))
    await settled()
    state.away = true
    state.total = 2
    await pass(clock, 1_000)
    state.away = false
    await pass(clock, 1_000)
    assert.deepEqual(totals, [1, 2])
    assert.equal(isOver, false)
  })
})
