import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { StoreUnavailableError, TaskError } from '../../src/domain/errors.ts'
import type { Status, TaskDetail } from '../../src/domain/task.ts'
import { awaiting } from '../../src/usecases/await-task.ts'
import { taskNotFound } from '../../src/usecases/change.ts'
import { handClock, settled } from '../support/doubles.ts'
import { newId } from '../support/ledger.ts'

const never = new AbortController().signal
const isFinal = (status: Status | undefined) => status !== 'pending' && status !== 'processing'

function underTest(statuses: Record<string, Status>) {
  const clock = handClock()
  const looks: string[][] = []
  let away = false
  const { awaitTask } = awaiting({
    sleep: clock.sleep,
    async read(id) {
      const status = statuses[id.toLowerCase()]
      if (!status) throw taskNotFound(id)
      return { id: id.toLowerCase(), status } as TaskDetail
    },
    reader: {
      async settled(ids) {
        looks.push([...ids])
        if (away) throw new StoreUnavailableError(new Error('away'))
        return ids.filter((id) => isFinal(statuses[id]))
      },
    },
  })
  const setAway = (is: boolean) => {
    away = is
  }
  return { awaitTask, clock, looks, statuses, setAway }
}

describe('waiting for a task', () => {
  it('answers at once when the task is final or nobody wants to wait', async () => {
    const [done, open] = [newId(), newId()]
    const { awaitTask, looks } = underTest({ [done]: 'completed', [open]: 'pending' })

    assert.equal((await awaitTask(done, 1000, never)).status, 'completed')
    assert.equal((await awaitTask(open, 0, never)).status, 'pending')
    assert.deepEqual(looks, [])
  })

  it('says that there is no such task', async () => {
    await assert.rejects(underTest({}).awaitTask(newId(), 1000, never), TaskError)
  })

  it('answers as soon as the task is final', async () => {
    const id = newId()
    const { awaitTask, clock, statuses } = underTest({ [id]: 'processing' })
    const task = awaitTask(id.toUpperCase(), 60_000, never)
    await clock.pass(25)
    statuses[id] = 'failed'
    await clock.pass(25)

    assert.equal((await task).status, 'failed')
    assert.deepEqual(clock.sleeping(), [25])
  })

  it('answers the task as it is when the time is over', async () => {
    const id = newId()
    const { awaitTask, clock } = underTest({ [id]: 'processing' })
    const task = awaitTask(id, 60_000, never)

    await clock.pass(60_000)

    assert.equal((await task).status, 'processing')
  })

  it('answers when whoever asked has gone', async () => {
    const id = newId()
    const { awaitTask, clock } = underTest({ [id]: 'pending' })
    const gone = new AbortController()
    const task = awaitTask(id, 60_000, gone.signal)
    await settled()

    gone.abort()

    assert.equal((await task).status, 'pending')
    await clock.pass(25)
    await settled()
    assert.deepEqual(clock.sleeping(), [])
  })

  it('asks once for all who wait, and not at all when nobody does', async () => {
    const ids = Array.from({ length: 30 }, () => newId())
    const { awaitTask, clock, looks, statuses } = underTest(
      Object.fromEntries(ids.map((id) => [id, 'pending'])),
    )
    const tasks = Promise.all([...ids, ...ids].map((id) => awaitTask(id, 60_000, never)))
    await clock.pass(25)
    await settled()
    assert.equal(looks.at(-1)?.length, 30)
    const before = looks.length

    for (const id of ids) statuses[id] = 'completed'
    await clock.pass(25)
    await tasks
    await clock.pass(25)
    await settled()

    assert.equal(looks.length, before + 1)
    assert.deepEqual(clock.sleeping(), [])
  })

  it('begins again after everybody had gone', async () => {
    const id = newId()
    const { awaitTask, clock, statuses } = underTest({ [id]: 'pending' })
    const first = awaitTask(id, 500, never)
    await clock.pass(500)
    await first
    await clock.pass(25)
    await settled()
    const second = awaitTask(id, 500, never)
    await settled()
    statuses[id] = 'canceled'
    await clock.pass(25)

    assert.equal((await second).status, 'canceled')
  })

  it('survives an outage of the database', async () => {
    const id = newId()
    const { awaitTask, clock, statuses, setAway } = underTest({ [id]: 'pending' })
    setAway(true)
    const task = awaitTask(id, 60_000, never)
    await clock.pass(25)
    await clock.pass(25)
    setAway(false)
    statuses[id] = 'completed'
    await clock.pass(25)

    assert.equal((await task).status, 'completed')
  })
})
