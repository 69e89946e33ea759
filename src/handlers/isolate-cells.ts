import type { Logger } from 'pino'
import type { HearProgress } from './context.ts'
import { type Cell, startCell } from './isolate-cell.ts'
import type { Handlers } from './load-handlers.ts'

const mostCells = 4
/** Each further crash divides the company in which a task runs by this much, until it runs alone. */
const narrowing = 16
const inspectEveryMs = 500

export type IsolationDeps = {
  handlers: Handlers
  log: Logger
  concurrency: number
  /** A handler that blocks its process for longer is taken for an endless loop. */
  longestBlockMs: number
  /** How long no task is trusted after one has ended a process. */
  guardMs: number
  /** Whether that is so from the start. */
  isOnGuard: boolean
  /** Hears what handlers say about their progress. */
  hear?: HearProgress
}

export type Cells = {
  /** A cell with room for a task that crashed that often, started if need be; none while all are taken. */
  roomFor(crashes: number): Cell | undefined
  /** Ends them all, and resolves when they have ended. */
  stop(): Promise<void>
}

type Listeners = {
  onRoom(): void
  /** A process has ended that tasks ran in. */
  onDeath(): void
}

/** Processes of suspects, four at work at most and one ready, each for tasks that may have equally much company. */
export function createCells(deps: IsolationDeps, { onRoom, onDeath }: Listeners): Cells {
  const cells = new Set<Cell>()
  const inspection = inspectionOf(cells)
  let onEmpty = () => {}
  let isStopping = false
  return { roomFor, stop }

  function roomFor(crashes: number) {
    const company = companyOf(crashes)
    const open = [...cells].filter((cell) => cell.isOpen())
    const [busy, idle] = [open.filter((cell) => cell.size() > 0), open.filter((cell) => cell.size() === 0)]
    const shared = busy.find((cell) => cell.company === company && cell.size() < company)
    if (shared || busy.length === mostCells) return shared
    const ready = idle.find((cell) => cell.company === company)
    if (ready || cells.size <= mostCells) return ready ?? start(company)
    idle[0]?.end()
    return undefined
  }

  /** How many tasks that crashed that often may run in one process. */
  function companyOf(crashes: number) {
    return Math.max(1, Math.ceil(deps.concurrency / mostCells / narrowing ** Math.max(0, crashes - 1)))
  }

  function start(company: number) {
    const cell = startCell(deps, { company, onClose })
    cells.add(cell)
    inspection.start()
    return cell
  }

  function onClose(cell: Cell, wasAtWork: boolean) {
    cells.delete(cell)
    if (wasAtWork) mourn(cell)
    if (cells.size === 0) onEmpty()
    onRoom()
  }

  /** Where one task ended its process another may, so that one process more is kept ready. */
  function mourn({ company }: Cell) {
    onDeath()
    const isReady = (cell: Cell) => cell.isOpen() && cell.size() === 0 && cell.company === company
    for (let ready = [...cells].filter(isReady).length; ready < 2 && cells.size <= mostCells; ready++)
      if (!isStopping) start(company)
  }

  async function stop() {
    isStopping = true
    const empty = new Promise<void>((resolve) => {
      onEmpty = resolve
    })
    for (const cell of cells) cell.end()
    if (cells.size > 0) await empty
    inspection.stop()
  }
}

/** Looks after the cells every half second while there are any. */
function inspectionOf(cells: ReadonlySet<Cell>) {
  let timer: NodeJS.Timeout | undefined
  let lookedAtMs = 0
  return { start, stop }

  function start() {
    if (!timer) wait()
  }

  function stop() {
    clearTimeout(timer)
    timer = undefined
  }

  function wait() {
    lookedAtMs = performance.now()
    timer = cells.size > 0 ? setTimeout(inspect, inspectEveryMs) : undefined
  }

  function inspect() {
    // After a pause of this process's own, what the others said meanwhile has not been heard yet.
    const wasAway = performance.now() - lookedAtMs > 2 * inspectEveryMs
    for (const cell of wasAway ? [] : cells) cell.inspect()
    wait()
  }
}
