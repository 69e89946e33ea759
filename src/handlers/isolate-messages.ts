import type { ClaimedTask, Verdict } from '../domain/outcome.ts'
import type { ProgressReport } from '../domain/progress.ts'
import type { AbortReason } from './context.ts'

/** What a worker tells a process that runs suspects. */
export type ToChild =
  /** To be begun if it is heard within `freshMs`, and else said to be stale. */
  | { kind: 'run'; task: ClaimedTask; sentAtMs: number; freshMs: number }
  | { kind: 'abort'; id: string; attempt: number; reason: AbortReason }
  /** Nothing more will come: end when nothing is left to do. */
  | { kind: 'end' }

/** What such a process tells its worker. */
export type FromChild =
  | { kind: 'ready' }
  | { kind: 'unready'; message: string }
  /** Every second, except while a handler blocks the event loop. */
  | { kind: 'alive' }
  /** Heard so late that the attempt may have been aborted since: to be sent again if it was not. */
  | { kind: 'stale'; id: string; attempt: number }
  | { kind: 'verdict'; id: string; attempt: number; verdict: Verdict }
  | { kind: 'progress'; report: ProgressReport }
  | { kind: 'log'; line: string }
  /** Said at its own end: how it came, and the attempt whose code did it. */
  | { kind: 'fatal'; message: string; id: string; attempt: number }

/** Milliseconds on the clock that the processes of a machine share, and that nobody sets. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
