import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { StoreRefusedError, StoreUnavailableError } from '../../src/domain/errors.ts'
import type { ClaimedTask, Outcome } from '../../src/domain/outcome.ts'
import type { PacketId, PacketRef } from '../../src/domain/packet.ts'
import { attemptsInHand } from '../../src/usecases/attempts-in-hand.ts'
import { finishing } from '../../src/usecases/finish.ts'
import { claimed } from '../handlers/task.ts'
import { gatherOn, handClock, keptLog, settled } from '../support/doubles.ts'
import { completed, newId } from '../support/ledger.ts'

const aTask = (packet: PacketId, wish: Partial<ClaimedTask> = {}) =>
  claimed({ id: newId(), packet, type: 'plain', payload: '1', ...wish })

type Statement = { outcomes: readonly Outcome[]; settled: readonly PacketId[] }

/** A ledger that refuses results that are no JSON, and everything while it is away. */
function underTest({ lanes = 1 } = {}) {
  const clock = handClock()
  const { log, lines } = keptLog()
  const hand = attemptsInHand()
  const statements: Statement[] = []
  const announced: PacketRef[] = []
  const state = { away: false, back: [] as PacketRef[] }
  const finish = finishing({
    workerId: newId(),
    hand,
    ledger: {
      async finish(_workerId, outcomes, settled) {
        if (state.away) throw new StoreUnavailableError(new Error('away'))
        if (outcomes.some((outcome) => outcome.status === 'completed' && outcome.result === '{'))
          throw new StoreRefusedError(new Error('invalid input syntax for type json'))
        statements.push({ outcomes, settled })
        return state.back
      },
    },
    announce: (packets) => announced.push(...packets),
    lanes: Array.from({ length: lanes }, () => gatherOn(1)),
    sleep: clock.sleep,
    log,
  })
  const end = (task: ClaimedTask, result = '1') =>
    finish({ packet: task.packet, outcome: completed(task, result) })
  return { finish, end, hand, statements, announced, state, clock, lines }
}

describe('writing outcomes', () => {
  it('writes those that come at the same time in one statement', async () => {
    const { end, hand, statements } = underTest()
    const tasks = Array.from({ length: 30 }, () => aTask(1))
    hand.take(1, 30)

    await Promise.all(tasks.map((task) => end(task)))

    assert.deepEqual(
      statements.map(({ outcomes, settled }) => [outcomes.length, settled]),
      [[30, [1]]],
    )
  })

  it('lets go of a packet in the statement of its last ending, and not before', async () => {
    const { end, hand, statements } = underTest()
    const [first, second, other] = [aTask(1), aTask(1), aTask(2)]
    hand.take(1, 2)
    hand.take(2, 2)

    await Promise.all([end(first), end(other)])
    await end(second)

    assert.deepEqual(
      statements.map(({ settled }) => settled),
      [[], [1]],
    )
    assert.deepEqual([hand.holds(1), hand.holds(2)], [false, true])
  })

  it('lets go of a packet of which nothing has to be written', async () => {
    const { finish, hand, statements } = underTest()
    hand.take(1, 1)

    await finish({ packet: 1 })

    assert.deepEqual(statements, [{ outcomes: [], settled: [1] }])
  })

  it('writes the endings of a packet one after the other, however many lanes there are', async () => {
    const { end, hand, statements } = underTest({ lanes: 4 })
    hand.take(1, 40)

    await Promise.all(Array.from({ length: 40 }, () => end(aTask(1))))

    assert.equal(statements.filter(({ settled }) => settled.length > 0).length, 1)
    assert.deepEqual(statements.at(-1)?.settled, [1])
  })

  it('repeats the statement while the database is away, less and less often', async () => {
    const { end, hand, statements, state, clock, lines } = underTest()
    hand.take(1, 1)
    state.away = true
    const ended = end(aTask(1))
    for (const ms of [50, 100, 200, 400, 800, 1600, 2000]) await clock.pass(ms)
    assert.ok(lines.length >= 7 && lines.every(({ level }) => level === 'warn'))
    assert.ok(hand.holds(1))

    state.away = false
    await clock.pass(2000)
    await ended

    assert.equal(statements.length, 1)
    assert.ok(!hand.holds(1))
  })

  it('fails the task whose result the database refuses, and stores the others', async () => {
    const { end, hand, statements } = underTest()
    const tasks = Array.from({ length: 9 }, () => aTask(1, { maxAttempts: 7 }))
    hand.take(1, 9)

    await Promise.all(tasks.map((task, i) => end(task, i === 4 ? '{' : '1')))

    const outcomes = statements.flatMap(({ outcomes }) => outcomes)
    const [refused] = outcomes.filter(({ status }) => status === 'failed')
    assert.equal(outcomes.length, 9)
    assert.ok(refused?.status === 'failed' && refused.task === tasks[4])
    assert.match(refused.failure.message, /the database refused the value/)
    assert.deepEqual(
      [refused.failure.name, refused.failure.attempt, refused.maxAttempts],
      ['ResultError', 1, 7],
    )
    const last = statements.at(-1)
    assert.deepEqual([last?.outcomes, last?.settled], [[], [1]])
    assert.ok(statements.slice(0, -1).every(({ settled }) => settled.length === 0))
  })

  it('leaves a refused task the usual attempts where nobody chose a number', async () => {
    const { end, hand, statements } = underTest()
    hand.take(1, 1)

    await end(aTask(1), '{')

    const [refused] = statements[0]!.outcomes
    assert.ok(refused?.status === 'failed' && refused.maxAttempts === 3)
  })

  it('sends no more than some 16 MB to the database in one statement', async () => {
    const { end, hand, statements } = underTest()
    const result = `"${'x'.repeat(1024 * 1024 - 2)}"`
    hand.take(1, 40)

    await Promise.all(Array.from({ length: 40 }, () => end(aTask(1), result)))

    assert.equal(
      statements.reduce((sum, { outcomes }) => sum + outcomes.length, 0),
      40,
    )
    assert.ok(statements.every(({ outcomes }) => outcomes.length <= 16))
  })

  it('tells of the packets of tasks that were handed back', async () => {
    const { finish, hand, announced, state } = underTest()
    state.back = [{ id: 3, queue: 'default', priority: 'high' }]
    const task = aTask(1)
    hand.take(1, 1)

    await finish({ packet: 1, outcome: { task, status: 'pending', crashed: false } })
    await settled()

    assert.deepEqual(announced, state.back)
  })
})
