import { TaskError } from '../domain/errors.ts'
import type { PacketRef } from '../domain/packet.ts'
import type { Change, Notices, TaskReader, TaskStore } from '../domain/ports.ts'
import type { Task, TaskDetail } from '../domain/task.ts'
import type { UseCases } from './index.ts'
import type { Gather } from './submit.ts'

export type ChangeDeps = {
  store: Pick<TaskStore, 'cancel' | 'retry'>
  reader: Pick<TaskReader, 'historyOf'>
  notices: Pick<Notices, 'canceled'>
  announce: (packets: readonly PacketRef[]) => void
  /** Makes deliveries that are due for these tasks, before a retry makes them other ones. */
  settle: (ids: readonly string[]) => Promise<void>
  gather: Gather
}

/**
 * Cancel and retry. A cancellation is true the moment it is answered; a worker that runs the task hears of it after.
 * Both answer the task as they left it, whatever has happened to it since.
 */
export function changing(deps: ChangeDeps): Pick<UseCases, 'cancelTask' | 'retryTask'> {
  const cancel = deps.gather((ids: string[]) => cancelAll(deps, ids), {})
  const retry = deps.gather((ids: string[]) => retryAll(deps, ids), {})
  return {
    async cancelTask(id) {
      const { changed, from, task } = found(id, await cancel(id))
      const detail = await withHistory(deps, task)
      if (changed || from === 'canceled') return detail
      throw new TaskError('task-not-cancelable', `task ${id} is already ${from}`, { task: detail })
    },
    async retryTask(id) {
      const { changed, from, task } = found(id, await retry(id))
      const detail = await withHistory(deps, task)
      if (changed) return detail
      const message = `task ${id} is ${from}; only failed and canceled tasks can be retried`
      throw new TaskError('task-not-retryable', message, { task: detail })
    },
  }
}

async function cancelAll({ store, notices }: ChangeDeps, ids: string[]): Promise<(Change | undefined)[]> {
  const changes = await store.cancel(ids)
  const interrupted = changes.filter((change) => change.changed && change.from === 'processing')
  if (interrupted.length > 0)
    notices.canceled(interrupted.map(({ task: { id, attempt } }) => ({ id, attempt })))
  return inOrder(ids, changes)
}

async function retryAll(
  { store, announce, settle }: ChangeDeps,
  ids: string[],
): Promise<(Change | undefined)[]> {
  await settle(ids)
  const { changes, packets } = await store.retry(ids)
  announce(packets)
  return inOrder(ids, changes)
}

function inOrder(ids: readonly string[], changes: readonly Change[]): (Change | undefined)[] {
  const byId = new Map(changes.map((change) => [change.task.id, change]))
  return ids.map((id) => byId.get(id.toLowerCase()))
}

function found(id: string, change: Change | undefined): Change {
  if (!change) throw taskNotFound(id)
  return change
}

async function withHistory({ reader }: ChangeDeps, task: Task): Promise<TaskDetail> {
  return { ...task, ...(await reader.historyOf(task)) }
}

export function taskNotFound(id: string): TaskError {
  return new TaskError('task-not-found', `there is no task ${id}`)
}
