import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { BrokerUnavailableError, StoreUnavailableError } from '../../src/domain/errors.ts'
import type { PacketId, PacketRef } from '../../src/domain/packet.ts'
import type { Outbox, Publisher } from '../../src/domain/ports.ts'
import { startRelay } from '../../src/usecases/relay.ts'
import { until } from '../support/until.ts'

const packet = (id: PacketId): PacketRef => ({ id, queue: 'default', priority: 'normal' })
const packets = (count: number, first = 1) => Array.from({ length: count }, (_, i) => packet(first + i))
const ids = (refs: readonly PacketRef[]) => refs.map(({ id }) => id)
const place = { queue: 'default', priority: 'normal' } as const

/** A ledger in memory, a broker that takes everything, and waits that end when the test says so. */
function world(t: TestContext, faults: { outbox?: Partial<Outbox>; publisher?: Partial<Publisher> } = {}) {
  const unsent = new Map<PacketId, PacketRef>()
  const published: PacketId[][] = []
  const marked: PacketId[][] = []
  const markers: string[] = []
  const lines: string[] = []
  let looks = 0
  const log = (_: object, line: string) => void lines.push(line)
  const waits = new Map<'look' | 'mark', () => void>()
  const outbox: Outbox = {
    async unsent(limit, without) {
      looks += 1
      const wanted = [...unsent.values()].filter(
        ({ queue }) => !without.some((place) => place.queue === queue),
      )
      return wanted.sort((a, b) => a.id - b.id).slice(0, limit)
    },
    async markSent(sent) {
      marked.push([...sent])
      for (const id of sent) unsent.delete(id)
    },
    outstanding: async () => 0,
    overdue: async () => [],
    resend: async () => 0,
    ...faults.outbox,
  }
  const publisher: Publisher = {
    async publish(refs) {
      if (refs.length > 0) published.push(ids(refs))
      return ids(refs)
    },
    unserved: () => [],
    mark: async ({ queue, priority }, at) => void markers.push(`${queue} ${priority} ${at}`),
    ...faults.publisher,
  }
  const sleep = (ms: number, signal?: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      waits.set(ms > 5_000 ? 'mark' : 'look', resolve)
      signal?.addEventListener('abort', () => reject(signal.reason))
    })
  const relay = startRelay({
    outbox,
    publisher,
    sleep,
    log: { debug: log, info: log, warn: log, error: log },
  })
  t.after(relay.stop)

  /** Lets the loop do its round, and resolves when it waits again. */
  async function round(loop: 'look' | 'mark') {
    await until(() => waits.has(loop), { what: `the ${loop} loop waits` })
    const wake = waits.get(loop)!
    waits.delete(loop)
    wake()
    await until(() => waits.has(loop), { what: `the ${loop} loop waits again` })
  }

  const store = (refs: readonly PacketRef[]) => {
    for (const ref of refs) unsent.set(ref.id, ref)
  }
  return { relay, unsent, published, marked, markers, lines, round, store, looks: () => looks }
}

test('sends what is offered without looking at the ledger, and marks it once confirmed', async (t) => {
  const { relay, store, published, marked, looks } = world(t)
  await until(() => looks() === 1, { what: 'the first look' })
  store(packets(3))
  relay.offer(packets(3))

  await until(() => marked.length === 1, { what: 'they are marked' })
  assert.deepEqual(published, [[1, 2, 3]])
  assert.deepEqual(marked, [[1, 2, 3]])
  assert.equal(looks(), 1)
})

test('gathers what is offered while a round is under way', async (t) => {
  const confirm = Promise.withResolvers<void>()
  const rounds: PacketId[][] = []
  const publish = async (refs: readonly PacketRef[]) => {
    if (refs.length > 0) rounds.push(ids(refs))
    if (refs.length > 0 && rounds.length === 1) await confirm.promise
    return ids(refs)
  }
  const { relay, marked } = world(t, { publisher: { publish } })
  relay.offer(packets(1))
  for (let id = 2; id <= 700; id++) relay.offer([packet(id)])
  confirm.resolve()

  await until(() => marked.flat().length === 700, { what: 'all are marked' })
  assert.deepEqual(
    rounds.map((round) => round.length),
    [1, 500, 199],
  )
})

test('does not mark what the broker did not take', async (t) => {
  const publish = async (refs: readonly PacketRef[]) => ids(refs).filter((id) => id !== 2)
  const { relay, marked } = world(t, { publisher: { publish } })
  relay.offer(packets(3))

  await until(() => marked.length === 1, { what: 'a round is marked' })
  assert.deepEqual(marked, [[1, 3]])
})

test('sends a packet that two looks have found unsent', async (t) => {
  const { store, published, round, looks } = world(t)
  await until(() => looks() === 1, { what: 'the first look' })
  store(packets(2))
  await round('look')
  assert.deepEqual(published, [])

  store([packet(3)])
  await round('look')

  assert.deepEqual(published, [[1, 2]])
})

test('carries a backlog in rounds, the older before the newer and each once, without waiting between them', async (t) => {
  const { store, published, round } = world(t)
  store(packets(3210))
  await round('look') // the first sight
  await round('look')
  await round('look')

  assert.deepEqual(
    published.flat().toSorted((a, b) => a - b),
    ids(packets(3210)),
  )
  for (const [n, round] of published.entries()) assert.ok(Math.max(...round) <= (n + 2) * 500, `round ${n}`)
  assert.ok(published.every(({ length }) => length <= 500))
})

test('sends what other places wait for while a backlog is for one that nothing can be sent to', async (t) => {
  const { store, published, round } = world(t, { publisher: { unserved: () => [place] } })
  store(packets(3000))
  const other = { id: 9999, queue: 'other', priority: 'normal' } as const
  store([other])
  await round('look') // the first sight
  await round('look')

  assert.deepEqual(published, [[9999]])
})

test('leaves a backlog to another process that carries it', async (t) => {
  let left = packets(20_000)
  const unsent = async (limit: number) => {
    left = left.slice(500) // sent by another process since the last look
    return left.slice(0, limit)
  }
  const markSent = async (sent: readonly PacketId[]) => {
    left = left.filter(({ id }) => !sent.includes(id))
  }
  const { published, round } = world(t, { outbox: { unsent, markSent } })
  await round('look')
  await round('look')

  assert.ok(published.length <= 2, `${published.length} rounds in two looks`)
})

test('does not take for strays what it is about to send itself', async (t) => {
  const confirm = Promise.withResolvers<void>()
  const rounds: PacketId[][] = []
  const publish = async (refs: readonly PacketRef[]) => {
    if (refs.length > 0) {
      rounds.push(ids(refs))
      await confirm.promise
    }
    return ids(refs)
  }
  const { relay, store, round } = world(t, { publisher: { publish } })
  store(packets(2))
  relay.offer(packets(2))
  await round('look')
  await round('look')
  await round('look')
  confirm.resolve()

  assert.deepEqual(rounds, [[1, 2]])
})

test('says once that the broker is away, asks the database nothing meanwhile, and then sends all', async (t) => {
  let away = true
  const rounds: PacketId[][] = []
  const publish = async (refs: readonly PacketRef[]) => {
    if (away) throw new BrokerUnavailableError('not connected to RabbitMQ')
    if (refs.length > 0) rounds.push(ids(refs))
    return ids(refs)
  }
  const { relay, store, unsent, round, lines, looks } = world(t, { publisher: { publish } })
  store(packets(5))
  relay.offer(packets(5))
  for (let i = 0; i < 5; i++) await round('look')
  assert.deepEqual(lines, ['packets wait in the ledger until the outage is over'])
  assert.equal(looks(), 0)

  away = false
  await round('look')
  await round('look')

  assert.deepEqual(rounds, [[1, 2, 3, 4, 5]])
  assert.equal(unsent.size, 0)
  assert.deepEqual(lines.slice(1), ['packets are carried to the broker again'])
})

test('waits out a database that is away, and does not send twice what it could not mark', async (t) => {
  let away = true
  const marked: PacketId[] = []
  const stored = new Map(packets(2).map((ref) => [ref.id, ref]))
  const outbox = {
    async markSent(sent: readonly PacketId[]) {
      if (away) throw new StoreUnavailableError('connection refused')
      marked.push(...sent)
      for (const id of sent) stored.delete(id)
    },
    async unsent() {
      if (away) throw new StoreUnavailableError('connection refused')
      return [...stored.values()]
    },
  }
  const { relay, published, lines, round } = world(t, { outbox })
  relay.offer(packets(2))
  await until(() => published.length === 1, { what: 'they are sent' })
  for (let i = 0; i < 3; i++) await round('look')
  assert.equal(lines.filter((line) => line.includes('outage')).length, 1)

  away = false
  for (let i = 0; i < 3; i++) await round('look')

  assert.deepEqual(marked, [1, 2])
  assert.deepEqual(published, [[1, 2]])
})

test('survives a failure that is no outage', async (t) => {
  let broken = true
  const outstanding = async () => {
    if (broken) throw new TypeError('a bug')
    return 0
  }
  const { relay, store, published, lines, round } = world(t, { outbox: { outstanding } })
  store(packets(1))
  relay.offer(packets(1))
  await until(() => lines.length > 0, { what: 'it is logged' })
  broken = false
  await round('look')
  await round('look')
  await round('look')

  assert.deepEqual(published, [[1]])
  assert.deepEqual(lines, [
    'packets could not be carried to the broker',
    'packets are carried to the broker again',
  ])
})

test('stops sending when the broker has enough', async (t) => {
  let counts = 0
  const outstanding = async (limit: number) => {
    counts += 1
    return limit
  }
  const { relay, store, published, round } = world(t, { outbox: { outstanding } })
  store(packets(10))
  relay.offer(packets(10))
  for (let i = 0; i < 5; i++) await round('look')

  assert.deepEqual(published, [])
  assert.ok(counts <= 2, `counted ${counts} times in a moment`)
})

test('leaves to the look what is offered beyond its buffer', async (t) => {
  const confirm = Promise.withResolvers<void>()
  const sent: PacketId[] = []
  const publish = async (refs: readonly PacketRef[]) => {
    await confirm.promise
    sent.push(...ids(refs))
    return ids(refs)
  }
  const { relay } = world(t, { publisher: { publish } })
  relay.offer(packets(9_999))
  relay.offer(packets(5_000, 10_000))
  relay.offer(packets(5_000, 20_000))
  confirm.resolve()
  await relay.stop()

  assert.equal(sent.length, 10_000)
})

test('sends what was offered before it is stopped, and nothing that is offered after', async (t) => {
  const { relay, marked } = world(t)
  relay.offer(packets(1200))
  await relay.stop()
  relay.offer([packet(9999)])
  await relay.stop()

  assert.equal(marked.flat().length, 1200)
})

test('sends a marker where packets are overdue, and then on every third look', async (t) => {
  let look = 0
  const overdue = async () => [{ ...place, at: `instant ${++look}` }]
  const { markers, round } = world(t, { outbox: { overdue } })
  for (let i = 0; i < 7; i++) await round('mark')

  assert.deepEqual(
    markers,
    [1, 4, 7].map((n) => `default normal instant ${n}`),
  )
})

test('sends a marker at once when a place is overdue anew', async (t) => {
  const answers = [[{ ...place, at: 'first' }], [], [{ ...place, at: 'second' }]]
  const { markers, round } = world(t, { outbox: { overdue: async () => answers.shift() ?? [] } })
  for (let i = 0; i < 3; i++) await round('mark')

  assert.deepEqual(markers, ['default normal first', 'default normal second'])
})

test('tries a marker again that the broker did not take', async (t) => {
  let tries = 0
  const mark = async () => {
    tries += 1
    throw new BrokerUnavailableError('not connected to RabbitMQ')
  }
  const { lines, round } = world(t, {
    outbox: { overdue: async () => [{ ...place, at: 'now' }] },
    publisher: { mark },
  })
  for (let i = 0; i < 3; i++) await round('mark')

  assert.equal(tries, 3)
  assert.ok(lines.length <= 2, lines.join())
})
