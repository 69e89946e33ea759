import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogPosition, Move, MoveFilter } from '../../src/domain/event.ts'
import { forgetMoves, moveLog } from '../../src/storage/move-log.ts'
import {
  aTask,
  aWorker,
  completed,
  failed,
  handedBack,
  ledgerUnderTest,
  newId,
  retried,
  someTasks,
} from '../support/ledger.ts'

const words = (moves: readonly Move[]) => moves.map(({ status, attempt }) => `${status} ${attempt}`)

test('moves that are written down', async (t) => {
  const ledger = await ledgerUnderTest(t, { isListenedTo: () => true })
  const log = moveLog(ledger.moves)
  const listening = async (filter: MoveFilter) => {
    await log.listen(newId(), filter)
    return (await log.here()).position
  }

  await t.test('are none while nobody listens, or nobody any more', async () => {
    await ledger.submit(someTasks(10))
    const listener = newId()
    await log.listen(listener, {})
    await ledger.rows(`update event_listeners set listens_until = now() - interval '1 second'`)
    await ledger.submit(someTasks(10))

    assert.deepEqual(await ledger.rows('select * from events'), [])
    assert.equal(await log.keepListening(listener, {}), false)
  })

  await t.test('are all that a task makes', async () => {
    const position = await listening({})
    const worker = aWorker()
    const due = { afterMs: 0 }
    await ledger.submit([aTask({ due })])
    await ledger.upkeep.promote(10, 10)
    for (const end of [handedBack, retried]) {
      const { tasks, packets } = await ledger.claim(worker)
      await ledger.ledger.finish(
        worker.id,
        [end(tasks[0]!)],
        packets.map(({ id }) => id),
      )
    }
    await ledger.upkeep.promote(10, 10)
    const third = await ledger.claim(worker)
    await ledger.ledger.giveBack(
      worker.id,
      third.packets.map(({ id }) => id),
    )
    const fourth = await ledger.claim(worker)
    await ledger.ledger.finish(
      worker.id,
      [failed(fourth.tasks[0]!)],
      fourth.packets.map(({ id }) => id),
    )
    await ledger.store.retry([fourth.tasks[0]!.id])
    await ledger.store.cancel([fourth.tasks[0]!.id])
    await ledger.store.retry([fourth.tasks[0]!.id])
    const other = aWorker({ types: ['other'] })
    const unserved = await ledger.claim(other)
    await ledger.ledger.postpone(
      other.id,
      unserved.packets.map(({ id }) => id),
    )

    await ledger.rows('update schedule set run_at = now()')
    await ledger.upkeep.promote(10, 10)
    const last = await ledger.claim(worker)
    await ledger.ledger.finish(worker.id, [completed(last.tasks[0]!)], [])

    const { moves } = await log.read(position)

    assert.deepEqual(words(moves), [
      ...[
        'scheduled 0',
        'pending 0',
        'processing 1',
        'pending 1',
        'processing 2',
        'scheduled 2',
        'pending 2',
      ],
      ...['processing 3', 'pending 3', 'processing 4', 'failed 4', 'pending 4', 'canceled 4', 'pending 4'],
      ...['scheduled 4', 'pending 4', 'processing 5', 'completed 5'],
    ])
    assert.ok(
      moves.every(
        ({ id, type, queue }) => id === fourth.tasks[0]!.id && type === 'plain' && queue === 'default',
      ),
    )
  })

  await t.test('are those that somebody wants to hear of, each once', async () => {
    const position = await listening({ type: 'a' })
    await log.listen(newId(), { type: 'a', queue: 'default' })
    await log.listen(newId(), { queue: 'q' })
    await ledger.submit([aTask({ type: 'a' }), aTask({ type: 'b' }), aTask({ type: 'b', queue: 'q' })])

    const { moves } = await log.read(position)

    assert.deepEqual(moves.map(({ type, queue }) => `${type} ${queue}`).sort(), ['a default', 'b q'])
    assert.match(moves[0]!.at, /Z$/)
  })

  await t.test('are read after those that were read, also what is committed late', async () => {
    let position: LogPosition = await listening({})
    const next = async () => {
      const page = await log.read(position)
      position = page.position
      return page.moves.map(({ type }) => type)
    }
    const early = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    const late = ledger.looks.transaction(async (run) => {
      await run(
        {
          name: '',
          text: `insert into events (task_id, attempt, status, type, queue) values ($1, 0, 'pending', 'late', 'q')`,
        },
        [newId()],
      )
      begun.resolve()
      await early.promise
    })
    await begun.promise
    await ledger.submit([aTask({ type: 'early' })])
    assert.deepEqual(await next(), ['early'])
    assert.deepEqual(await next(), [])
    early.resolve()
    await late

    assert.deepEqual(await next(), ['late'])
    assert.deepEqual(await next(), [])
  })

  await t.test('are read in pages, and only as far as one was told to', async () => {
    const position = await listening({})
    for (let i = 0; i < 7; i++) await ledger.submit(someTasks(1_000))
    const whole = await ledger.submit(someTasks(2_000)).then(() => log.read(position))
    assert.equal(whole.moves.length, 5_000)
    await ledger.submit(someTasks(10))

    const rest = await log.read(whole.position)

    assert.equal(rest.moves.length, 4_000)
    const ids = new Set([...whole.moves, ...rest.moves].map(({ id }) => id))
    assert.equal(ids.size, 9_000)
    assert.equal((await log.read(rest.position)).moves.length, 10)
    assert.equal((await log.read(rest.position, rest.position.after)).moves.length, 0)
  })

  await t.test('go when nobody can ask for them any more, and so do those who asked', async () => {
    const listener = newId()
    await log.listen(listener, {})
    const { position } = await log.here()
    await ledger.submit(someTasks(3))
    await ledger.rows(
      `update events set at = now() - interval '1 hour' where task_id <> (select task_id from events limit 1)`,
    )
    await forgetMoves(ledger.moves)
    assert.equal((await log.read(position)).moves.length, 1)
    assert.equal(await log.keepListening(listener, {}), true)

    await ledger.rows(`update event_listeners set listens_until = now() - interval '1 hour'`)
    await forgetMoves(ledger.moves)

    assert.deepEqual(await ledger.rows('select * from event_listeners'), [])
  })

  await t.test('are not continued for another filter', async () => {
    const listener = newId()
    await log.listen(listener, { type: 'a' })
    assert.equal(await log.keepListening(listener, { type: 'a' }), true)
    assert.equal(await log.keepListening(listener, { type: 'b' }), false)
    assert.equal(await log.keepListening(listener, {}), false)
  })
})
