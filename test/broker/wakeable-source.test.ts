import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { wakeableSource } from '../../src/broker/wakeable-source.ts'
import type { Claim, PacketSource, Want } from '../../src/domain/ports.ts'
import { handClock, settled } from '../support/doubles.ts'

const found = (packets: number): Claim => ({
  tasks: [],
  packets: Array.from({ length: packets }, (_, id) => ({ id, started: 1, size: 1 })),
  oversized: [],
  blocked: [],
})

function underTest() {
  const clock = handClock()
  const told: string[] = []
  const arrived: Want[] = []
  let ring = () => {}
  const messages: PacketSource = {
    next: (_room, signal) =>
      new Promise((resolve) => {
        const answer = () => resolve(signal.aborted ? undefined : arrived.shift())
        ring = answer
        if (signal.aborted || arrived.length > 0) answer()
        else signal.addEventListener('abort', answer, { once: true })
      }),
    claimed: () => void told.push('claimed'),
    failed: () => void told.push('failed'),
    roomFreed: () => void told.push('room freed'),
  }
  const source = wakeableSource(messages, ['a'], clock.sleep)
  const stopping = new AbortController()
  const next = (room = 10) => source.next(room, stopping.signal)
  const arrive = (want: Want) => {
    arrived.push(want)
    ring()
  }
  return { clock, source, next, stopping, told, arrive }
}

const look = { room: 10, queues: ['a'], look: 10, unsent: true }

describe('a source of messages that a notice wakes', () => {
  it('answers what the messages name', async () => {
    const { source, next, arrive, told } = underTest()
    const asked = next()
    arrive({ room: 10, packets: [7] })

    const want = await asked
    assert.deepEqual(want, { room: 10, packets: [7] })
    source.claimed(want!, found(1))
    source.failed(want!)
    assert.deepEqual(told, ['claimed', 'failed'])
  })

  it('looks into the ledger at a notice, while it waits and when it comes back', async () => {
    const { source, next, told } = underTest()
    const asked = next()
    source.wake()
    assert.deepEqual(await asked, look)
    source.wake()
    assert.deepEqual(await next(), look)
    source.claimed(look, found(1))
    source.failed(look)
    assert.deepEqual(told, [])
  })

  it('waits again after a wait that its caller has cut short', async () => {
    const { source, arrive } = underTest()
    const cut = new AbortController()
    const first = source.next(10, cut.signal)
    cut.abort()
    assert.equal(await first, undefined)

    let isAnswered = false
    const second = source.next(10, new AbortController().signal).finally(() => (isAnswered = true))
    await settled()
    assert.equal(isAnswered, false)
    arrive({ room: 10, packets: [7] })
    assert.deepEqual(await second, { room: 10, packets: [7] })
  })

  it('looks again a moment later, for what committed beside the notice', async () => {
    const { clock, source, next } = underTest()
    source.wake()
    await next()
    for (const ms of [15, 60]) {
      const asked = next()
      await clock.pass(ms)
      assert.deepEqual(await asked, look)
    }
    await settled()
    assert.deepEqual(clock.slept, [15, 60])
  })

  it('looks on while a look is full', async () => {
    const { source, next } = underTest()
    source.wake()
    source.claimed((await next())!, found(10))

    assert.deepEqual(await next(), look)
  })

  it('ends when it is told to', async () => {
    const { next, stopping } = underTest()
    const asked = next()
    stopping.abort()
    assert.equal(await asked, undefined)
  })
})
