import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { StoreUnavailableError } from '../../src/domain/errors.ts'
import type { FeedPage, FeedPosition, Move } from '../../src/domain/event.ts'
import type { LogPage } from '../../src/domain/ports.ts'
import { followingMoves } from '../../src/usecases/follow-moves.ts'
import { handClock, settled } from '../support/doubles.ts'
import { until } from '../support/until.ts'

const at = (after: number) => `${after}:${after}:`
const move = (n: number, type = 'a'): Move => ({
  id: `m${n}`,
  type,
  queue: 'q',
  status: n % 2 ? 'completed' : 'failed',
  attempt: 1,
  at: '2030-01-31T09:00:00.000Z',
})

/** A log in which the position behind the n-th move is the snapshot n:n:. Pages have `pageSize` moves. */
function underTest({ pageSize = 100 } = {}) {
  const clock = handClock()
  const moves: Move[] = []
  const reads: string[] = []
  const alive = new Set<string>()
  let away = false
  let made = 0
  const numberIn = (snapshot: string) => Number(snapshot.split(':')[0])
  const page = (from: number, to: number): LogPage => {
    const told = moves.slice(from, Math.min(to, from + pageSize))
    return { moves: told, position: { after: at(from + told.length) }, atMs: 1_000 }
  }
  const { followMoves } = followingMoves({
    // All processes know at once.
    sleep: (ms, signal) => (ms === 1_700 ? Promise.resolve() : clock.sleep(ms, signal)),
    newId: () => `listener${++made}`,
    log: {
      async listen(listener) {
        if (away) throw new StoreUnavailableError(new Error('away'))
        alive.add(listener)
      },
      here: async () => page(moves.length, moves.length),
      keepListening: async (listener) => alive.has(listener),
      async read({ after }, upTo) {
        reads.push(after)
        if (away) throw new StoreUnavailableError(new Error('away'))
        return page(numberIn(after), upTo === undefined ? moves.length : numberIn(upTo))
      },
    },
  })
  const setAway = (is: boolean) => {
    away = is
  }
  return { followMoves, clock, moves, reads, alive, setAway }
}

const never = new AbortController().signal

/** Follows, and keeps what was told. */
function told(pages: AsyncIterable<FeedPage>) {
  const ids: string[] = []
  let position: FeedPosition | undefined
  void (async () => {
    for await (const page of pages) {
      if (page.missed) ids.push('missed')
      ids.push(...page.moves.map(({ id }) => id))
      position = page.position
    }
    ids.push('end')
  })()
  return { ids, position: () => position }
}

describe('following all tasks', () => {
  it('tells what happens from now on, as the filter has it', async () => {
    const { followMoves, clock, moves } = underTest()
    moves.push(move(0))
    const all = told(followMoves({}, { from: undefined, signal: never }))
    const some = told(followMoves({ type: 'b', status: ['completed'] }, { from: undefined, signal: never }))
    await settled()
    moves.push(move(1), move(2, 'b'), move(3, 'b'))
    await clock.pass(100)
    await settled()

    assert.deepEqual([all.ids, some.ids], [['m1', 'm2', 'm3'], ['m3']])
  })

  it('asks once for all who are at the head', async () => {
    const { followMoves, clock, moves, reads } = underTest()
    for (let i = 0; i < 20; i++) told(followMoves({}, { from: undefined, signal: never }))
    await settled()
    moves.push(move(1))
    await clock.pass(100)
    await settled()
    const before = reads.length
    await clock.pass(100)
    await settled()

    assert.equal(reads.length, before + 1)
  })

  it('goes on where somebody stopped, also at another process', async () => {
    const { followMoves, clock, moves } = underTest()
    const { position } = told(followMoves({}, { from: undefined, signal: never }))
    await settled()
    moves.push(move(1), move(2))

    const { ids } = told(followMoves({}, { from: position()!, signal: never }))
    await settled()
    await clock.pass(100)
    await settled()

    assert.deepEqual(ids, ['m1', 'm2'])
  })

  it('says that something was missed when nobody listened in between, or for too long', async () => {
    const { followMoves, alive } = underTest()
    const first = told(followMoves({}, { from: undefined, signal: never }))
    await settled()
    const old = told(followMoves({}, { from: { ...first.position()!, atMs: -200_000 }, signal: never }))
    alive.clear()
    const lapsed = told(followMoves({}, { from: first.position()!, signal: never }))
    await settled()

    assert.deepEqual([old.ids, lapsed.ids], [['missed'], ['missed']])
  })

  it('reads on at once where there is more than a page, and tells a slow one everything, in order', async () => {
    const { followMoves, clock, moves } = underTest({ pageSize: 10 })
    const slow = followMoves({}, { from: undefined, signal: never })
    await slow.next()
    const quick = told(followMoves({}, { from: undefined, signal: never }))
    await settled()
    for (let i = 0; i < 35; i++) moves.push(move(i))
    await until(
      async () => {
        if (clock.sleeping().includes(100)) await clock.pass(100)
        return quick.ids.length === 35
      },
      { what: 'the quick one' },
    )
    const ids: string[] = []
    while (ids.length < 35) ids.push(...(await slow.next()).value.moves.map(({ id }: Move) => id))

    assert.deepEqual(
      ids,
      moves.map(({ id }) => id),
    )
  })

  it('says after an outage that something may be missed', async () => {
    const { followMoves, clock, moves, setAway } = underTest()
    const { ids } = told(followMoves({}, { from: undefined, signal: never }))
    await settled()
    setAway(true)
    await clock.pass(100)
    await settled()
    setAway(false)
    await clock.pass(1_000)
    await settled()
    moves.push(move(1))
    await until(
      async () => {
        if (clock.sleeping().includes(100)) await clock.pass(100)
        return ids.length > 1
      },
      { what: 'what came after it' },
    )

    assert.deepEqual(ids, ['missed', 'm1'])
  })

  it('ends when the follower has gone, and nobody reads any more', async () => {
    const { followMoves, clock, reads } = underTest()
    const gone = new AbortController()
    const { ids } = told(followMoves({}, { from: undefined, signal: gone.signal }))
    await settled()
    gone.abort()
    await settled()
    assert.deepEqual(ids, ['end'])
    await clock.pass(100)
    await settled()
    const before = reads.length

    assert.deepEqual(clock.sleeping(), [])
    assert.equal(reads.length, before)
  })
})
