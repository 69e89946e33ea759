import type { BatchLedger } from '../domain/batch.ts'
import { StoreRefusedError, StoreUnavailableError, TaskError } from '../domain/errors.ts'
import type { Sleep } from '../domain/ports.ts'
import type { NewTask } from '../domain/submission.ts'
import type { Import, UseCases } from './index.ts'
import { keyReused, loadOf, type SubmitDeps } from './submit.ts'

export type ImportDeps = Pick<SubmitDeps, 'store' | 'newId' | 'capacityOf' | 'announce'> & {
  batches: Pick<BatchLedger, 'open' | 'moveCallback' | 'touch' | 'close'>
  /** Batches that may be finished now. */
  touched: (batchIds: readonly string[]) => void
  sleep: Sleep
}

/** Above all ids, and with one that follows: where the range of a batch ends to which tasks are still added. */
const lastOfAll = 'ffffffff-ffff-ffff-ffff-fffffffffffe'
const usualQueue = 'default'
const touchEveryMs = 10_000
const patienceMs = 30_000
const longestPauseMs = 2_000

type Answer = string | TaskError

/**
 * Importing: tasks are stored in the order in which they come, each lot after the one before, so that what a broken
 * connection leaves is a beginning of what was sent.
 */
export function importing(deps: ImportDeps): Pick<UseCases, 'openImport'> {
  return {
    async openImport({ callbackUrl } = {}): Promise<Import> {
      const batchId = deps.newId()
      const batch = { id: batchId, total: 0, firstId: batchId, lastId: lastOfAll, importing: true as const }
      // An import without a good line is told of, too.
      const callback = callbackUrl === undefined ? {} : { callback: { url: callbackUrl, queue: usualQueue } }
      await deps.batches.open({ ...batch, ...callback })
      let isPlaced = callbackUrl === undefined
      let touchedAt = performance.now()
      return {
        batchId,
        async add(submissions) {
          if (performance.now() - touchedAt > touchEveryMs) {
            await patiently(deps, () => deps.batches.touch(batchId))
            touchedAt = performance.now()
          }
          const [first] = submissions
          if (!isPlaced && first && first.queue !== usualQueue)
            await patiently(deps, () => deps.batches.moveCallback(batchId, first.queue))
          isPlaced ||= first !== undefined
          return addAll(
            deps,
            submissions.map((submission) => ({ ...submission, id: deps.newId(), batchId })),
          )
        },
        async close() {
          await deps.batches.close(batchId, deps.newId())
          deps.touched([batchId])
        },
      }
    },
  }
}

/** One value that the database refuses must not fail its neighbors: halves, until it is alone. */
async function addAll(deps: ImportDeps, tasks: readonly NewTask[]): Promise<Answer[]> {
  try {
    return await patiently(deps, () => store(deps, tasks))
  } catch (error) {
    if (!(error instanceof StoreRefusedError)) throw error
    if (tasks.length === 1)
      return [new TaskError('value-not-storable', 'the database refused a value of this task')]
    const middle = Math.ceil(tasks.length / 2)
    return [...(await addAll(deps, tasks.slice(0, middle))), ...(await addAll(deps, tasks.slice(middle)))]
  }
}

async function store(deps: ImportDeps, tasks: readonly NewTask[]): Promise<Answer[]> {
  if (tasks.every((task) => task.idempotencyKey === undefined)) {
    deps.announce((await deps.store.submit(loadOf(deps, tasks, []))).packets)
    return tasks.map((task) => task.id)
  }
  const { keyed, packets } = await deps.store.submitKeyed(tasks, {
    allOrNothing: false,
    loadOf: (fresh) => loadOf(deps, fresh, []),
  })
  deps.announce(packets)
  return keyed.map(({ id, sameBody }, i) => (sameBody ? id : keyReused(tasks[i]!)))
}

/** Repeats what may be repeated, since the ids are made, while the database is away for a moment. */
async function patiently<T>({ sleep }: ImportDeps, work: () => Promise<T>): Promise<T> {
  const untilMs = performance.now() + patienceMs
  for (let pauseMs = 50; ; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || performance.now() > untilMs) throw error
      await sleep(pauseMs)
    }
  }
}
