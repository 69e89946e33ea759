import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { StoreUnavailableError, TaskError } from '../../src/domain/errors.ts'
import type { AttemptRef, Change } from '../../src/domain/ports.ts'
import type { Status, Task } from '../../src/domain/task.ts'
import { type ChangeDeps, changing } from '../../src/usecases/change.ts'
import { gatherOn } from '../support/doubles.ts'
import { newId } from '../support/ledger.ts'

const noHistory = { attempts: [], progress: null }

/** A store with tasks in these statuses, which changes what may be changed. */
function underTest(statuses: Record<string, Status>, wish: Partial<ChangeDeps> = {}) {
  const told: AttemptRef[] = []
  const statements: string[][] = []
  const change = (ids: readonly string[], allowed: readonly Status[], to: Status): Change[] => {
    statements.push([...ids])
    return [...new Set(ids)].flatMap((id) => {
      const from = statuses[id]
      if (!from) return []
      const changed = allowed.includes(from)
      if (changed) statuses[id] = to
      return [{ task: { id, status: statuses[id], attempt: 1 } as Task, from, changed }]
    })
  }
  const packet = { id: 1, queue: 'default', priority: 'normal' } as const
  const announced: unknown[] = []
  const deps: ChangeDeps = {
    store: {
      cancel: async (ids) => change(ids, ['scheduled', 'pending', 'processing'], 'canceled'),
      retry: async (ids) => ({ changes: change(ids, ['failed', 'canceled'], 'pending'), packets: [packet] }),
    },
    reader: { historyOf: async () => noHistory },
    notices: { canceled: (attempts) => told.push(...attempts) },
    announce: (packets) => announced.push(...packets),
    settle: async () => {},
    gather: gatherOn(1),
    ...wish,
  }
  return { ...changing(deps), told, statements, announced }
}

const refusedAs = (code: string, status?: Status) => (error: unknown) =>
  error instanceof TaskError && error.code === code && error.task?.status === status

describe('canceling', () => {
  for (const status of ['scheduled', 'pending', 'processing', 'canceled'] as const) {
    it(`answers the canceled task when it was ${status}`, async () => {
      const id = newId()
      const { cancelTask } = underTest({ [id]: status })

      assert.equal((await cancelTask(id)).status, 'canceled')
    })
  }

  for (const status of ['completed', 'failed'] as const) {
    it(`refuses when the task is ${status}, and shows it`, async () => {
      const id = newId()
      const { cancelTask } = underTest({ [id]: status })

      await assert.rejects(cancelTask(id), refusedAs('task-not-cancelable', status))
    })
  }

  it('answers the task as it left it, although it has been retried since', async () => {
    const id = newId()
    const statuses: Record<string, Status> = { [id]: 'pending' }
    const retriedMeanwhile = async () => {
      statuses[id] = 'pending'
      return noHistory
    }
    const { cancelTask } = underTest(statuses, { reader: { historyOf: retriedMeanwhile } })

    assert.equal((await cancelTask(id)).status, 'canceled')
  })

  it('says that there is no such task', async () => {
    await assert.rejects(underTest({}).cancelTask(newId()), refusedAs('task-not-found'))
    await assert.rejects(underTest({}).retryTask(newId()), refusedAs('task-not-found'))
  })

  it('tells the worker that runs the task, and nobody of the others', async () => {
    const [running, waiting, canceled] = [newId(), newId(), newId()]
    const { cancelTask, told } = underTest({
      [running]: 'processing',
      [waiting]: 'pending',
      [canceled]: 'canceled',
    })

    await Promise.all([cancelTask(waiting), cancelTask(running), cancelTask(canceled)])

    assert.deepEqual(told, [{ id: running, attempt: 1 }])
  })

  it('cancels in one statement what is canceled at the same time, the same task twice', async () => {
    const ids = [newId(), newId()]
    const { cancelTask, statements } = underTest({ [ids[0]!]: 'pending', [ids[1]!]: 'pending' })

    const tasks = await Promise.all([...ids, ids[0]!].map(cancelTask))

    assert.deepEqual(
      tasks.map(({ status }) => status),
      ['canceled', 'canceled', 'canceled'],
    )
    assert.equal(statements.length, 1)
  })

  it('fails while the database is away', async () => {
    const away = async () => {
      throw new StoreUnavailableError(new Error('away'))
    }
    const { cancelTask, retryTask } = underTest({}, { store: { cancel: away, retry: away } })

    await assert.rejects(cancelTask(newId()), StoreUnavailableError)
    await assert.rejects(retryTask(newId()), StoreUnavailableError)
  })
})

describe('retrying', () => {
  it('has the end told of that it undoes, before it does', async () => {
    const id = newId()
    const statuses: Record<string, Status> = { [id]: 'failed' }
    const settled: unknown[] = []
    const { retryTask } = underTest(statuses, {
      settle: async (ids) => void settled.push(...ids, statuses[id]),
    })

    await retryTask(id)

    assert.deepEqual(settled, [id, 'failed'])
  })

  for (const status of ['failed', 'canceled'] as const) {
    it(`answers the pending task when it was ${status}, and tells of its packet`, async () => {
      const id = newId()
      const { retryTask, announced } = underTest({ [id]: status })

      assert.equal((await retryTask(id)).status, 'pending')
      assert.equal(announced.length, 1)
    })
  }

  it('answers the pending task although it runs already', async () => {
    const id = newId()
    const statuses: Record<string, Status> = { [id]: 'failed' }
    const claimedMeanwhile = async () => {
      statuses[id] = 'processing'
      return noHistory
    }
    const { retryTask } = underTest(statuses, { reader: { historyOf: claimedMeanwhile } })

    assert.equal((await retryTask(id)).status, 'pending')
  })

  for (const status of ['scheduled', 'pending', 'processing', 'completed'] as const) {
    it(`refuses when the task is ${status}, and shows it`, async () => {
      const id = newId()
      const { retryTask } = underTest({ [id]: status })

      await assert.rejects(retryTask(id), refusedAs('task-not-retryable', status))
    })
  }
})
