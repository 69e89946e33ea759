import { appendFileSync, readFileSync } from 'node:fs'
import type { Effect } from '../trial/fault.ts'

// The verdict rests on what is written here, outside the system: a line at a time, each whole once it is in the
// file, whatever happens to its writer afterwards. `at` is `nowMs()` of
// machine-clock.ts.

/** What the load client was answered, written before it does anything else with the answer. */
export type ClientLine =
  | {
      what: 'submitted'
      at: number
      sentAt: number
      ids: readonly string[]
      type: string
      key?: string
      status: number
      /** Tasks and batches of whose end somebody wants to be told. */
      called?: readonly string[]
    }
  | ClientLook<'canceled'>
  | ClientLook<'retried'>
  | ClientLook<'read'>
  /** Any request that was not answered as wanted. `status` 0: no answer came. */
  | {
      what: 'refused'
      at: number
      sentAt: number
      request: string
      status: number
      retryAfter?: string
      code?: string
      reason: string
      /** Of the task that was to be canceled, retried or read. */
      id?: string
      /** Of the task that was to be submitted. */
      key?: string
    }

/** `status` 200, or 409 where the task was in no state for it; the task as it was answered. */
type ClientLook<What extends string> = {
  what: What
  at: number
  sentAt: number
  id: string
  status: number
  taskStatus?: string
  attempt?: number
}

/** What a handler did, written by its process. */
export type HandlerLine = {
  what: 'started' | 'finished' | 'aborted'
  at: number
  id: string
  attempt: number
  member: string
  pid: number
}

/** What the rig did and saw. */
export type RigLine =
  | {
      what: 'struck'
      at: number
      until: number
      kind: string
      /** What it came to be this time, where one kind is many things. */
      detail?: string
      effects: readonly Effect[]
      members: readonly string[]
    }
  | { what: 'ended'; at: number; member: string; pid: number; how: number | string; wanted: boolean }
  /** Somebody was told of the end of a task or a batch. */
  | { what: 'told'; at: number; id: string }
  | { what: 'ready'; at: number; member: string; pid: number }

export type Line = ClientLine | HandlerLine | RigLine

/** One write for a line, so that lines of several processes never mix and a killed writer leaves no half one. */
export function writeLine(file: string, line: Line): void {
  appendFileSync(file, `${JSON.stringify(line)}\n`)
}

export function readLines<L extends Line>(file: string): L[] {
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.filter(Boolean).map((line) => JSON.parse(line) as L)
}
