import type { Status, TaskDetail } from './task.ts'

/** As much of a task as tells whether it has changed. `progress` is the number of the latest report. */
export type Sighting = { id: string; status: Status; attempt: number; progress: number }

export function sightingOf({ id, status, attempt, progress }: TaskDetail): Sighting {
  return { id, status, attempt, progress: progress?.version ?? 0 }
}

export function isSame(a: Sighting, b: Sighting): boolean {
  return a.id === b.id && a.status === b.status && a.attempt === b.attempt && a.progress === b.progress
}

/** A task has come into a status. */
export type Move = {
  id: string
  type: string
  queue: string
  status: Status
  attempt: number
  at: string
}

/** Which moves somebody wants to hear of. */
export type MoveFilter = { type?: string; queue?: string; status?: readonly Status[] }

/**
 * How far somebody has read: all moves that the snapshot `after` saw were told and, where a page ended before all of
 * `upTo` was told, those up to the number `seq` of the transaction `xid`.
 */
export type LogPosition = { after: string; page?: { upTo: string; xid: string; seq: number } | undefined }

/** A listener's own position: `listener` is why moves were written down, `atMs` the database's instant of the reading. */
export type FeedPosition = LogPosition & { listener: string; atMs: number }

/** Moves in the order of their transactions, with where to go on. `missed`: some before them are lost. */
export type FeedPage = { moves: Move[]; position: FeedPosition; missed: boolean }
