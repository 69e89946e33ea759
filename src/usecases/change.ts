import { TaskError } from '../domain/errors.ts'
import type { PacketRef } from '../domain/packet.ts'
import type { Change, Notices, TaskReader, TaskStore } from '../domain/ports.ts'
import type { TaskDetail } from '../domain/task.ts'
import type { UseCases } from './index.ts'
import type { Gather } from './submit.ts'

export type ChangeDeps = {
  store: Pick<TaskStore, 'cancel' | 'retry'>
  reader: Pick<TaskReader, 'get'>
  notices: Pick<Notices, 'canceled'>
  announce: (packets: readonly PacketRef[]) => void
  gather: Gather
}

/** Cancel and retry. A cancellation is true the moment it is answered; a worker that runs the task hears of it after. */
export function changing(deps: ChangeDeps): Pick<UseCases, 'cancelTask' | 'retryTask'> {
  const cancel = deps.gather((ids: string[]) => cancelAll(deps, ids), {})
  const retry = deps.gather((ids: string[]) => retryAll(deps, ids), {})
  return {
    async cancelTask(id) {
      const change = await cancel(id)
      const task = await taskAfter(deps, id, change)
      if (change!.changed || change!.from === 'canceled') return task
      throw new TaskError('task-not-cancelable', `task ${id} is already ${change!.from}`, { task })
    },
    async retryTask(id) {
      const change = await retry(id)
      const task = await taskAfter(deps, id, change)
      if (change!.changed) return task
      const message = `task ${id} is ${change!.from}; only failed and canceled tasks can be retried`
      throw new TaskError('task-not-retryable', message, { task })
    },
  }
}

async function cancelAll({ store, notices }: ChangeDeps, ids: string[]): Promise<(Change | undefined)[]> {
  const changes = await store.cancel(ids)
  const interrupted = changes.filter((change) => change.changed && change.from === 'processing')
  if (interrupted.length > 0) notices.canceled(interrupted.map((change) => change.id))
  return inOrder(ids, changes)
}

async function retryAll({ store, announce }: ChangeDeps, ids: string[]): Promise<(Change | undefined)[]> {
  const { changes, packets } = await store.retry(ids)
  announce(packets)
  return inOrder(ids, changes)
}

function inOrder(ids: readonly string[], changes: readonly Change[]): (Change | undefined)[] {
  const byId = new Map(changes.map((change) => [change.id, change]))
  return ids.map((id) => byId.get(id.toLowerCase()))
}

async function taskAfter(
  { reader }: ChangeDeps,
  id: string,
  change: Change | undefined,
): Promise<TaskDetail> {
  const task = change && (await reader.get(id))
  if (!task) throw taskNotFound(id)
  return task
}

export function taskNotFound(id: string): TaskError {
  return new TaskError('task-not-found', `there is no task ${id}`)
}
