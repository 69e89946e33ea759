import { StoreRefusedError, TaskError } from '../domain/errors.ts'
import { type Capacity, type PacketRef, pack } from '../domain/packet.ts'
import type { KeyedStored, Load, TaskReader, TaskStore } from '../domain/ports.ts'
import {
  type AtEnd,
  defaultMaxAttempts,
  type NewBatch,
  type NewTask,
  type Submission,
} from '../domain/submission.ts'
import type { Task } from '../domain/task.ts'
import type { UseCases } from './index.ts'

/** Gathers calls into one: `runtime/batch.ts`, bound to its lanes. */
export type Gather = <In, Out>(
  run: (items: In[]) => Promise<Out[]>,
  options: { sizeOf?: (item: In) => number; isItemsFault?: (error: unknown) => boolean },
) => (item: In) => Promise<Out>

export type SubmitDeps = {
  store: Pick<TaskStore, 'submit' | 'submitKeyed'>
  reader: Pick<TaskReader, 'getMany'>
  newId: () => string
  /** Who could take packets of a queue now, as far as this process knows. */
  capacityOf: (queue: string) => Capacity
  /** Packets that were just committed: for the relay, or to wake workers. */
  announce: (packets: readonly PacketRef[]) => void
  gather: Gather
}

type Order = { tasks: NewTask[]; batch?: NewBatch }

/** Submitting, one task or a batch: whatever is asked for at the same time goes to the database in one statement. */
export function submitting(deps: SubmitDeps): Pick<UseCases, 'submitTask' | 'submitBatch'> {
  const isItemsFault = (error: unknown) => error instanceof StoreRefusedError
  const store = deps.gather((orders: Order[]) => storeOrders(deps, orders), {
    sizeOf: (order) => order.tasks.reduce((sum, task) => sum + weightOf(task), 0),
    isItemsFault,
  })
  const storeKeyed = deps.gather((tasks: NewTask[]) => storeKeyedTasks(deps, tasks), {
    sizeOf: weightOf,
    isItemsFault,
  })

  return { submitTask, submitBatch }

  async function submitTask(submission: Submission) {
    const task = { ...submission, id: deps.newId() }
    if (submission.idempotencyKey === undefined) {
      const at = await store({ tasks: [task] })
      return { task: asStored(task, at), replayed: false }
    }
    const outcome = await storeKeyed(task)
    if (outcome === 'key-reused') throw keyReused(task)
    return outcome
  }

  async function submitBatch(submissions: readonly Submission[], atEnd: AtEnd = {}) {
    const batchId = deps.newId()
    const tasks = submissions.map((submission) => ({ ...submission, id: deps.newId(), batchId }))
    const batch = { ...batchOf(batchId, tasks), ...endOf(tasks, atEnd) }
    if (tasks.some((task) => task.idempotencyKey !== undefined)) return submitKeyedBatch(deps, batch, tasks)
    await store({ tasks, batch })
    return { batchId, ids: tasks.map((task) => task.id) }
  }
}

const charactersPerTask = 32_768

/** A large payload counts for several tasks, so that what is gathered into a statement stays within some 16 MB. */
export function weightOf({ payload }: NewTask): number {
  return 1 + Math.floor(payload.length / charactersPerTask)
}

async function storeOrders(deps: SubmitDeps, orders: Order[]): Promise<string[]> {
  const tasks = orders.flatMap((order) => order.tasks)
  const batches = orders.flatMap((order) => (order.batch ? [order.batch] : []))
  const { at, packets } = await deps.store.submit(loadOf(deps, tasks, batches))
  deps.announce(packets)
  return orders.map(() => at)
}

/** Tasks, as the statement that stores them takes them: in packets, or for later. */
export function loadOf(
  { capacityOf }: Pick<SubmitDeps, 'capacityOf'>,
  tasks: readonly NewTask[],
  batches: readonly NewBatch[],
): Load {
  const later = tasks.filter((task) => task.due !== 'now')
  const { tasks: now, packets } = pack(
    later.length === 0 ? tasks : tasks.filter(({ due }) => due === 'now'),
    capacityOf,
  )
  return { now, packets, later, batches }
}

/** Ids of one process grow, so the first and the last bound the others. */
function batchOf(id: string, tasks: readonly NewTask[]): NewBatch {
  return { id, total: tasks.length, firstId: tasks[0]?.id ?? id, lastId: tasks.at(-1)?.id ?? id }
}

/** Who is told of the end is told from the queue of the first task, where there are workers. */
function endOf(
  tasks: readonly NewTask[],
  { sequel, callbackUrl }: AtEnd,
): Pick<NewBatch, 'sequel' | 'callback'> {
  const callback = callbackUrl === undefined ? {} : { callback: { url: callbackUrl, queue: tasks[0]!.queue } }
  return { ...(sequel ? { sequel } : {}), ...callback }
}

type Submitted = { task: Task; replayed: boolean }

async function storeKeyedTasks(deps: SubmitDeps, tasks: NewTask[]): Promise<(Submitted | 'key-reused')[]> {
  const stored = await deps.store.submitKeyed(tasks, {
    allOrNothing: false,
    loadOf: (fresh) => loadOf(deps, fresh, []),
  })
  deps.announce(stored.packets)
  const known = await existing(deps, stored.keyed)
  return tasks.map((task, i) => {
    const { id, fresh, sameBody } = stored.keyed[i]!
    if (fresh) return { task: asStored(task, stored.at), replayed: false }
    if (!sameBody) return 'key-reused'
    return { task: known.get(id) ?? asStored({ ...task, id }, stored.at), replayed: true }
  })
}

async function existing({ reader }: SubmitDeps, keyed: KeyedStored['keyed']): Promise<Map<string, Task>> {
  const ids = keyed.filter((key) => !key.fresh).map((key) => key.id)
  const tasks = ids.length > 0 ? await reader.getMany(ids) : []
  return new Map(tasks.map((task) => [task.id, task]))
}

/**
 * A batch counts the tasks that were stored with it: those that their keys had already belong to where they came from.
 * A batch of which every task is there already, and in one batch, is that one sent again.
 */
async function submitKeyedBatch(deps: SubmitDeps, batch: NewBatch, tasks: NewTask[]) {
  const { id: batchId } = batch
  const made = (fresh: readonly NewTask[]) => ({ ...batch, ...batchOf(batchId, fresh) })
  const { keyed, packets } = await deps.store.submitKeyed(tasks, {
    allOrNothing: true,
    loadOf: (fresh) => loadOf(deps, fresh, fresh.length > 0 ? [made(fresh)] : []),
  })
  const reused = keyed.findIndex((key) => !key.sameBody)
  if (reused >= 0) throw keyReused(tasks[reused]!, reused)
  deps.announce(packets)
  const ids = keyed.map((key) => key.id)
  if (keyed.some((key) => key.fresh)) return { batchId, ids }
  const known = new Set([...(await existing(deps, keyed)).values()].map((task) => task.batchId))
  const [same] = known
  if (known.size === 1 && same) return { batchId: same, ids }
  await deps.store.submit(loadOf(deps, [], [made([])]))
  return { batchId, ids }
}

export function keyReused({ idempotencyKey }: NewTask, index?: number): TaskError {
  const message = `the idempotency key '${idempotencyKey}' was used before with another body`
  return new TaskError('idempotency-key-reused', message, index === undefined ? {} : { index })
}

/** A task as it is right after the statement that stored it at `at`. */
function asStored(task: NewTask, at: string): Task {
  const { id, type, queue, priority, payload, due } = task
  return {
    id,
    type,
    queue,
    key: task.key ?? null,
    status: due === 'now' ? 'pending' : 'scheduled',
    priority,
    payload,
    result: null,
    error: null,
    attempt: 0,
    maxAttempts: task.maxAttempts ?? defaultMaxAttempts,
    batchId: task.batchId ?? null,
    idempotencyKey: task.idempotencyKey ?? null,
    createdAt: at,
    runAt: runAtOf(task, at),
    startedAt: null,
    finishedAt: null,
    workerId: null,
  }
}

function runAtOf({ due }: NewTask, at: string): string {
  if (due === 'now') return at
  if ('at' in due) return new Date(due.at).toISOString()
  return new Date(Date.parse(at) + due.afterMs).toISOString()
}
