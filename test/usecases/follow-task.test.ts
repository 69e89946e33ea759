import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { StoreUnavailableError, TaskError } from '../../src/domain/errors.ts'
import { type Sighting, sightingOf } from '../../src/domain/event.ts'
import type { Status, TaskDetail } from '../../src/domain/task.ts'
import { taskNotFound } from '../../src/usecases/change.ts'
import { following } from '../../src/usecases/follow-task.ts'
import { handClock, settled } from '../support/doubles.ts'

type State = { status: Status; attempt: number; version?: number }

/** Tasks whose states the test sets; `faults` are thrown by the next reads. */
function underTest(states: Record<string, State>) {
  const clock = handClock()
  const looks: Sighting[][] = []
  const faults: Error[] = []
  const detailOf = (id: string) => {
    const { status, attempt, version } = states[id]!
    const progress = version === undefined ? null : { version }
    return { id, status, attempt, progress } as TaskDetail
  }
  const { followTask } = following({
    sleep: clock.sleep,
    async read(id) {
      const fault = faults.shift()
      if (fault) throw fault
      if (!states[id]) throw taskNotFound(id)
      return detailOf(id)
    },
    reader: {
      async changed(seen) {
        looks.push([...seen])
        return seen.map(({ id }) => sightingOf(detailOf(id)))
      },
    },
  })
  return { followTask, clock, looks, states, faults }
}

const never = new AbortController().signal
const from = (seen?: Omit<Sighting, 'id'>, signal = never) => ({ seen, signal })

/** What a follower has been told so far. */
function told(changes: AsyncIterable<TaskDetail> | undefined) {
  const events: string[] = []
  let isOver = false
  void (async () => {
    for await (const { status, attempt, progress } of changes!)
      events.push(`${status} ${attempt}${progress ? ` ${progress.version}` : ''}`)
    isOver = true
  })()
  return { events, isOver: () => isOver }
}

describe('following a task', () => {
  it('tells what it is, then each change, until it is final', async () => {
    const { followTask, clock, states } = underTest({ a: { status: 'pending', attempt: 0 } })
    const { events, isOver } = told(await followTask('a', from()))
    await settled()
    assert.deepEqual(events, ['pending 0'])

    for (const state of [
      { status: 'processing', attempt: 1 },
      { status: 'processing', attempt: 1, version: 1 },
      { status: 'processing', attempt: 1, version: 2 },
      { status: 'scheduled', attempt: 1, version: 2 },
      { status: 'processing', attempt: 2 },
      { status: 'completed', attempt: 2 },
    ] as const) {
      assert.equal(isOver(), false)
      states.a = state
      await clock.pass(25)
      await settled()
    }

    assert.deepEqual(events, [
      'pending 0',
      'processing 1',
      'processing 1 1',
      'processing 1 2',
      'scheduled 1 2',
      'processing 2',
      'completed 2',
    ])
    assert.equal(isOver(), true)
    await clock.pass(25)
    assert.deepEqual(clock.sleeping(), [], 'nobody looks when nobody follows')
  })

  it('does not tell again what was seen, and tells what came after it', async () => {
    const { followTask, clock, states } = underTest({ a: { status: 'processing', attempt: 1 } })
    const seen = { status: 'processing', attempt: 1, progress: 0 } as const
    const same = told(await followTask('a', from(seen)))
    const earlier = told(await followTask('a', from({ ...seen, attempt: 0, status: 'pending' })))
    await settled()
    assert.deepEqual([same.events, earlier.events], [[], ['processing 1']])

    states.a = { status: 'canceled', attempt: 1 }
    await clock.pass(25)
    await settled()

    assert.deepEqual([same.events, earlier.events], [['canceled 1'], ['processing 1', 'canceled 1']])
  })

  it('has nothing to tell to who has seen the end, and something when the task was retried since', async () => {
    const { followTask, states } = underTest({ a: { status: 'failed', attempt: 1 } })
    const seen = { status: 'failed', attempt: 1, progress: 0 } as const
    assert.equal(await followTask('a', from(seen)), undefined)

    states.a = { status: 'pending', attempt: 1 }

    const { events } = told(await followTask('a', from(seen)))
    await settled()
    assert.deepEqual(events, ['pending 1'])
  })

  it('tells a slow follower the latest, and the end in any case', async () => {
    const { followTask, clock, states } = underTest({ a: { status: 'processing', attempt: 1 } })
    const changes = (await followTask('a', from()))![Symbol.asyncIterator]()
    await changes.next()
    for (let version = 1; version < 50; version++) states.a = { status: 'processing', attempt: 1, version }
    states.a = { status: 'completed', attempt: 1, version: 50 }
    const next = changes.next()
    await settled()
    if (clock.sleeping().length > 0) await clock.pass(25)

    assert.equal((await next).value.status, 'completed')
    assert.equal((await changes.next()).done, true)
  })

  it('asks once for all who follow, and once for each state in which a task was seen', async () => {
    const ids = Array.from({ length: 20 }, (_, i) => `t${i}`)
    const { followTask, clock, looks } = underTest(
      Object.fromEntries(ids.map((id) => [id, { status: 'pending', attempt: 0 } as const])),
    )
    for (const id of [...ids, ...ids]) told(await followTask(id, from()))
    await settled()
    await clock.pass(25)
    await settled()

    assert.equal(looks.at(-1)?.length, 20)
  })

  it('ends when the follower has gone, and does not look for it any more', async () => {
    const { followTask, clock } = underTest({ a: { status: 'pending', attempt: 0 } })
    const gone = new AbortController()
    const { isOver } = told(await followTask('a', from(undefined, gone.signal)))
    await settled()
    gone.abort()
    await settled()

    assert.equal(isOver(), true)
    await clock.pass(25)
    await settled()
    assert.deepEqual(clock.sleeping(), [])
  })

  it('survives an outage of the database', async () => {
    const { followTask, clock, states, faults } = underTest({ a: { status: 'pending', attempt: 0 } })
    const { events } = told(await followTask('a', from()))
    await settled()
    states.a = { status: 'completed', attempt: 1 }
    faults.push(new StoreUnavailableError(new Error('away')))
    await clock.pass(25)
    await clock.pass(1_000)
    await settled()

    assert.deepEqual(events, ['pending 0', 'completed 1'])
  })

  it('says that there is no such task', async () => {
    await assert.rejects(underTest({}).followTask('a', from()), TaskError)
  })
})
