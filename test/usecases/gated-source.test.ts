import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Claim, Want } from '../../src/domain/ports.ts'
import { gatedSource } from '../../src/usecases/gated-source.ts'
import { settled } from '../support/doubles.ts'

const nothing: Claim = { tasks: [], packets: [], oversized: [], blocked: [] }
const found = (wish: Partial<Claim> = {}): Claim => ({
  ...nothing,
  packets: [{ id: 1, started: 1, size: 1 }],
  gate: { waits: false, nextInMs: null },
  ...wish,
})

/** A source that is asked, and answers when the test says so. */
function underTest(served = ['plain', 'gated']) {
  let answer: ((want: Want | undefined) => void) | undefined
  const told: Want[] = []
  const source = gatedSource(
    {
      next: (_room, signal) =>
        new Promise((resolve) => {
          answer = resolve
          signal.addEventListener('abort', () => resolve(undefined))
        }),
      claimed: (want) => void told.push(want),
      failed: () => {},
      roomFreed: () => {},
    },
    served,
  )
  const stopping = new AbortController()
  const next = () => source.next(10, stopping.signal)
  return { source, stopping, next, told, give: (want: Want) => answer!(want) }
}

describe('a source with gates', () => {
  it('is the source itself while there is no gate', async () => {
    const { next, give, source, told } = underTest()
    const want = { room: 10, queues: ['plain', 'gated'], look: 3 }
    const asked = next()
    give(want)
    assert.equal(await asked, want)
    source.claimed(want, nothing)
    assert.deepEqual(told, [want])
  })

  it('looks at a gate as soon as there is one, and leaves its queue out of the others', async () => {
    const { next, give, source } = underTest()
    const asked = next()
    source.use([{ queue: 'gated', isPaused: false }])
    assert.deepEqual(await asked, { room: 10, gate: 'gated' })
    source.claimed({ room: 10, gate: 'gated' }, { ...nothing, gate: { waits: true, nextInMs: null } })

    const again = next()
    give({ room: 10, queues: ['plain', 'gated'], look: 3 })
    assert.deepEqual(await again, { room: 10, queues: ['plain'], look: 3 })
  })

  it('takes turns, so that a busy gate does not keep the others waiting', async () => {
    const { next, give, source } = underTest()
    source.use([{ queue: 'gated', isPaused: false }])
    assert.deepEqual(await next(), { room: 10, gate: 'gated' })
    source.claimed({ room: 10, gate: 'gated' }, found({ gate: { waits: true, nextInMs: 0 } }))
    const asked = next()
    give({ room: 10, packets: [7] })
    assert.deepEqual(await asked, { room: 10, packets: [7], without: ['gated'] })
    assert.deepEqual(await next(), { room: 10, gate: 'gated' })
  })

  it('takes a message of a gated queue for a reason to look there', async () => {
    const { next, give, source } = underTest()
    source.use([{ queue: 'gated', isPaused: false }])
    await next()
    source.claimed({ room: 10, gate: 'gated' }, { ...nothing, gate: { waits: false, nextInMs: null } })
    const asked = next()
    give({ room: 10, packets: [7] })
    const want = await asked
    source.claimed(want!, nothing)
    assert.deepEqual(await next(), { room: 10, gate: 'gated' })
  })

  it('does not look at a paused queue, and does at once when it goes on', async () => {
    const { next, source } = underTest()
    source.use([{ queue: 'gated', isPaused: true }])
    let answered: Want | undefined
    const asked = next().then((want) => {
      answered = want
    })
    source.wake()
    source.roomFreed()
    await settled()
    assert.equal(answered, undefined)
    source.use([{ queue: 'gated', isPaused: false }])
    await asked
    assert.deepEqual(answered, { room: 10, gate: 'gated' })
  })

  it('looks again as soon as something has ended, where tasks wait for that', async () => {
    const { next, source } = underTest()
    source.use([{ queue: 'gated', isPaused: false }])
    await next()
    source.claimed({ room: 10, gate: 'gated' }, { ...nothing, gate: { waits: true, nextInMs: null } })
    source.stored?.()
    assert.deepEqual(await next(), { room: 10, gate: 'gated' })
    source.stored?.() // while the look is under way
    source.claimed({ room: 10, gate: 'gated' }, { ...nothing, gate: { waits: true, nextInMs: null } })
    assert.deepEqual(await next(), { room: 10, gate: 'gated' })
  })

  it('gives a gate up when its settings are gone and a look finds nothing', async () => {
    const { next, give, source } = underTest()
    source.use([{ queue: 'gated', isPaused: true }])
    source.use([])
    assert.deepEqual(await next(), { room: 10, gate: 'gated' })
    source.claimed({ room: 10, gate: 'gated' }, nothing)
    const want = { room: 10, packets: [7] }
    const asked = next()
    give(want)
    assert.equal(await asked, want)
  })

  it('does not give it up while a message was dropped after the look began', async () => {
    const { next, source } = underTest()
    source.use([{ queue: 'gated', isPaused: false }])
    source.use([])
    await next()
    source.wake()
    source.claimed({ room: 10, gate: 'gated' }, nothing)
    assert.deepEqual(await next(), { room: 10, gate: 'gated' })
  })

  it('knows nothing of queues that it does not serve', async () => {
    const { next, give, source } = underTest(['plain'])
    source.use([{ queue: 'gated', isPaused: false }])
    const want = { room: 10, packets: [7] }
    const asked = next()
    give(want)
    assert.equal(await asked, want)
  })

  it('ends its wait when it is told to stop', async () => {
    const { next, stopping, source } = underTest()
    source.use([{ queue: 'gated', isPaused: true }])
    const asked = next()
    stopping.abort()
    assert.equal(await asked, undefined)
  })
})
