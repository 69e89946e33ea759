import assert from 'node:assert/strict'
import { test } from 'node:test'
import { outbox } from '../../src/storage/packets.ts'
import { aTask, aWorker, holdPacket, ledgerUnderTest, someTasks } from '../support/ledger.ts'

test('the outbox', async (t) => {
  const ledger = await ledgerUnderTest(t)
  const box = outbox(ledger.moves)
  const place = { queue: 'default', priority: 'normal' } as const
  const ids = (refs: readonly { id: number }[]) => refs.map(({ id }) => id)
  const longAgo = (packets: readonly number[]) =>
    ledger.rows(`update packets set sent_at = now() - interval '1 minute' where id = any ($1)`, [packets])

  await t.test('has what was committed and not sent, oldest first', async () => {
    const { packets } = await ledger.submit(someTasks(5), { packetSize: 1 })

    assert.deepEqual(ids(await box.unsent(3, [])), ids(packets).slice(0, 3))
    assert.deepEqual(await box.unsent(10, []), packets)
  })

  await t.test('leaves out the places that nobody can send to', async () => {
    const { packets } = await ledger.submit([
      ...someTasks(2),
      aTask({ queue: 'b' }),
      aTask({ queue: 'b', priority: 'high' }),
    ])

    const found = await box.unsent(10, [place, { queue: 'b', priority: 'high' }])

    assert.deepEqual(
      found,
      packets.filter(({ queue, priority }) => queue === 'b' && priority === 'normal'),
    )
  })

  await t.test('has nothing any more that was marked as sent or that a worker took', async () => {
    const { packets } = await ledger.submit(someTasks(3), { packetSize: 1 })
    await ledger.claim(aWorker(), 1)

    await box.markSent([packets[0]!.id, packets[1]!.id, 999_999])

    assert.deepEqual(ids(await box.unsent(10, [])), [packets[2]!.id])
    assert.equal(await box.outstanding(10), 1)
  })

  await t.test('marks what it can and waits for no worker that is just taking a packet', async (t) => {
    const { packets } = await ledger.submit(someTasks(2), { packetSize: 1 })
    const [taken, free] = ids(packets)
    const worker = await holdPacket(t, ledger.url, taken!)

    await box.markSent([taken!, free!])
    await worker.query('rollback')

    assert.deepEqual(ids(await box.unsent(10, [])), [taken])
  })

  await t.test('counts what is with the broker, as far as it matters', async () => {
    const { packets } = await ledger.submit(someTasks(5), { packetSize: 1 })
    await box.markSent(ids(packets))

    assert.deepEqual([await box.outstanding(100), await box.outstanding(3)], [5, 3])
  })

  await t.test('knows the places where something has been with the broker for long', async () => {
    await ledger.submit([
      aTask({ queue: 'a' }),
      aTask({ queue: 'b', priority: 'high' }),
      aTask({ queue: 'c' }),
    ])
    const [a, b, c] = await box.unsent(3, [])
    await box.markSent([a!.id, b!.id, c!.id])
    await longAgo([b!.id, c!.id])

    const overdue = await box.overdue(30_000)

    const places = overdue.map(({ queue, priority }) => `${queue} ${priority}`).sort()
    assert.deepEqual(places, ['b high', 'c normal'])
    assert.deepEqual(await box.overdue(120_000), [])
  })

  await t.test('has again what is taken for lost: sent before, unclaimed, and of that place', async () => {
    const { packets } = await ledger.submit([...someTasks(4), aTask({ queue: 'other' })], { packetSize: 1 })
    await box.markSent(ids(packets))
    const claim = await ledger.ledger.claim(aWorker(), { room: 1, packets: [packets[0]!.id] })
    await longAgo([packets[1]!.id, packets[2]!.id, packets[4]!.id])
    const [overdue] = await box.overdue(30_000)
    await box.markSent([packets[2]!.id])

    assert.equal(await box.resend(place, overdue!.at), 2)

    assert.equal(claim.packets.length, 1)
    assert.deepEqual(ids(await box.unsent(10, [])), [packets[1]!.id, packets[3]!.id])
    assert.equal(await box.resend(place, overdue!.at), 0)
  })

  await t.test('has the pieces of a packet that was cut, and packets that were given back', async () => {
    const worker = aWorker()
    const { packets } = await ledger.submit(someTasks(4), { packetSize: 2 })
    await box.markSent(ids(packets))
    await ledger.ledger.claim(worker, { room: 2, packets: [packets[0]!.id] })

    const back = await ledger.ledger.giveBack(worker.id, [packets[0]!.id])
    const pieces = await ledger.ledger.split([packets[1]!.id], 1)

    assert.deepEqual(ids(await box.unsent(10, [])), [...ids(back), ...ids(pieces)])
  })
})
