import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ledgerSource } from '../../src/broker/ledger-source.ts'
import type { Claim } from '../../src/domain/ports.ts'
import { handClock, settled } from '../support/doubles.ts'

const claimOf = (wish: Partial<Claim> = {}): Claim => ({
  tasks: [],
  packets: [],
  oversized: [],
  blocked: [],
  ...wish,
})
const packetsOf = (...sizes: number[]) => sizes.map((size, id) => ({ id, started: size, size }))

function underTest() {
  const clock = handClock()
  const source = ledgerSource(['a', 'b'], clock.sleep)
  const stopping = new AbortController()
  const next = (room = 10) => source.next(room, stopping.signal)
  /** A look in the ledger that finds `claim`. */
  const look = async (claim: Claim) => {
    const want = await next()
    assert.ok(want)
    source.claimed(want, claim)
  }
  /** Answers how long the next look waits; 0 when it does not. */
  const nextWait = async () => {
    const before = clock.slept.length
    const want = next()
    await settled()
    const waitMs = clock.slept[before] ?? 0
    if (waitMs > 0) await clock.pass(waitMs)
    await want
    return waitMs
  }
  return { clock, source, stopping, next, look, nextWait }
}

describe('the ledger as a source of packets', () => {
  it('looks at once, in all its queues', async () => {
    const { next } = underTest()

    assert.deepEqual(await next(7), { room: 7, queues: ['a', 'b'], look: 8 })
  })

  it('looks on without waiting while it finds something', async () => {
    const { look, nextWait } = underTest()
    await look(claimOf({ packets: packetsOf(1) }))
    assert.equal(await nextWait(), 0)

    await look(claimOf({ oversized: [1] }))
    assert.equal(await nextWait(), 0)
  })

  it('waits longer and longer when it finds nothing, up to a second', async () => {
    const { source, nextWait } = underTest()
    const waits: number[] = []
    for (let i = 0; i < 9; i++) {
      waits.push(await nextWait())
      source.claimed({ room: 1, queues: [], look: 1 }, claimOf())
    }

    assert.deepEqual(waits, [0, 10, 20, 40, 80, 160, 320, 640, 1000])
  })

  it('looks at once when it is told of packets', async () => {
    const { clock, source, next, look } = underTest()
    await look(claimOf())
    const want = next()
    await settled()
    assert.deepEqual(clock.sleeping(), [10])

    source.wake()

    assert.ok(await want)
  })

  it('does not forget what it was told while it looked', async () => {
    const { source, next, nextWait } = underTest()
    const want = await next()
    source.wake()
    source.claimed(want!, claimOf())

    assert.equal(await nextWait(), 0)
  })

  it('looks again when room comes free for a packet that did not fit', async () => {
    const { source, next, look } = underTest()
    await look(claimOf({ blocked: [1] }))
    const want = next()
    await settled()

    source.roomFreed()

    assert.ok(await want)
  })

  it('does not look because of room when nothing waits for it', async () => {
    const { clock, source, next, look } = underTest()
    await look(claimOf())
    void next()
    await settled()

    source.roomFreed()
    await settled()

    assert.deepEqual(clock.sleeping(), [10])
  })

  it('looks as far as the room reaches with packets of the size it has met', async () => {
    const { next, look } = underTest()
    await look(claimOf({ packets: packetsOf(10, 30) }))

    assert.deepEqual(await next(100), { room: 100, queues: ['a', 'b'], look: 6 })
    const want = await next(1_000_000)
    assert.ok(want && 'look' in want && want.look === 500)
  })

  it('answers nothing when it is told to stop, at once', async () => {
    const { stopping, next, look } = underTest()
    await look(claimOf())
    const want = next()
    await settled()

    stopping.abort()

    assert.equal(await want, undefined)
  })
})
