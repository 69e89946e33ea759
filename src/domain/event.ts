import type { Status, TaskDetail } from './task.ts'

/** As much of a task as tells whether it has changed. `progress` is the number of the latest report. */
export type Sighting = { id: string; status: Status; attempt: number; progress: number }

export function sightingOf({ id, status, attempt, progress }: TaskDetail): Sighting {
  return { id, status, attempt, progress: progress?.version ?? 0 }
}

export function isSame(a: Sighting, b: Sighting): boolean {
  return a.id === b.id && a.status === b.status && a.attempt === b.attempt && a.progress === b.progress
}
