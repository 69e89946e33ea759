import type { BulkAction, BulkStore, OpenBulkAction } from '../domain/bulk-action.ts'
import { StoreUnavailableError, TaskError } from '../domain/errors.ts'
import type { PacketRef } from '../domain/packet.ts'
import type { Log, Notices } from '../domain/ports.ts'
import type { UseCases } from './index.ts'
import { reportTo } from './report.ts'

export type BulkDeps = {
  actions: BulkStore
  newId: () => string
  notices: Pick<Notices, 'canceled'>
  announce: (packets: readonly PacketRef[]) => void
  /** Makes deliveries that are due for these tasks, before they are other ones or gone. */
  settle: (ids: readonly string[]) => Promise<void>
  /** Hears of batches in which something became final. */
  touched: (batchIds: readonly string[]) => void
  retentionDays: number
  log: Log
}

export type BulkKeeper = {
  /** Goes on with what is open, for so long at most. Answers how long to wait for the next look. */
  goOn(forMs: number): Promise<number>
  forget(): Promise<void>
}

const lookEveryMs = 1_000
/** Between two steps, so that they stay a part of what the database does. */
const pauseMs = 2
/** Who does one is left alone for so long: a process that dies is followed by another then. */
const leaseMs = 5_000

/** Goes on with bulk actions, a step of each after the other. Every process may; one at a time does it. */
export function keepingBulkActions(deps: BulkDeps): BulkKeeper {
  const processId = deps.newId()
  let isBusy = false
  return {
    async goOn(forMs) {
      if (isBusy) return lookEveryMs
      isBusy = true
      return going(performance.now() + forMs).finally(() => {
        isBusy = false
      })
    },
    forget: () => deps.actions.forget(deps.retentionDays),
  }

  async function going(untilMs: number): Promise<number> {
    do {
      const open = await deps.actions.take(processId, leaseMs)
      if (open.length === 0) return lookEveryMs
      for (const action of open) await stepOf(deps, action)
    } while (performance.now() < untilMs)
    return pauseMs
  }
}

const goOnForMs = 1_000
const forgetEveryMs = 3_600_000

/** What the housekeeping does for bulk actions. */
export function bulkRounds(keeper: BulkKeeper) {
  return [
    { what: 'going on with bulk actions', round: () => keeper.goOn(goOnForMs) },
    { what: 'forgetting bulk actions', round: () => keeper.forget().then(() => forgetEveryMs) },
  ]
}

/** An outage is waited out; anything else would come again and again, so that it is the end of the action. */
async function stepOf(deps: BulkDeps, action: OpenBulkAction): Promise<void> {
  try {
    if (action.status === 'counting') await deps.actions.countSome(action)
    else await doSome(deps, action)
  } catch (error) {
    if (error instanceof StoreUnavailableError) throw error
    reportTo(deps.log, error, `the bulk action ${action.id} was given up`)
    await deps.actions.fail(action.id, 'an internal error; the log has it')
  }
}

async function doSome(deps: BulkDeps, action: OpenBulkAction): Promise<void> {
  const lot = await deps.actions.nextLot(action.id)
  if (!lot) return
  if (action.action !== 'cancel') await deps.settle(lot.ids)
  const moved = await deps.actions.doLot(action, lot)
  if (!moved) return
  if (moved.interrupted.length > 0) deps.notices.canceled(moved.interrupted)
  deps.announce(moved.packets)
  if (moved.batchIds.length > 0) deps.touched(moved.batchIds)
}

type BulkCases = Pick<
  UseCases,
  'createBulkAction' | 'readBulkAction' | 'listBulkActions' | 'startBulkAction' | 'abortBulkAction'
>

/** What is small is counted, and done, by the time of the answer. */
const atOnceMs = 150

/** What clients ask of bulk actions. */
export function askingForBulkActions(
  deps: Pick<BulkDeps, 'actions' | 'newId'>,
  keeper: Pick<BulkKeeper, 'goOn'>,
): BulkCases {
  const { actions } = deps
  return {
    async createBulkAction(wish) {
      const id = deps.newId()
      await actions.create({ id, ...wish })
      await beginAtOnce()
      return read(id)
    },
    readBulkAction: read,
    listBulkActions: actions.page,
    async startBulkAction(id) {
      if (!(await actions.start(id))) return over(id, 'started')
      await beginAtOnce()
      return read(id)
    },
    async abortBulkAction(id) {
      return (await actions.abort(id)) ? read(id) : over(id, 'aborted')
    },
  }

  /** Only saves waiting: the housekeeping goes on with it. */
  async function beginAtOnce(): Promise<void> {
    await keeper.goOn(atOnceMs).catch(() => {})
  }

  async function read(id: string): Promise<BulkAction> {
    const action = await actions.read(id)
    if (!action) throw new TaskError('bulk-action-not-found', `there is no bulk action ${id}`)
    return action
  }

  /** Asking twice is no error. */
  async function over(id: string, what: 'started' | 'aborted'): Promise<BulkAction> {
    const action = await read(id)
    if (what === 'started' && action.status === 'done') return action
    throw new TaskError('bulk-action-over', `the bulk action ${id} is ${action.status} and cannot be ${what}`)
  }
}
