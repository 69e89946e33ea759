/**
 * How a load arrives: so many tasks in one request, so many requests under way. Of Millrace only: with so many keys, in
 * turns, or all with one of this name.
 */
export type Shape = { inOne: number; lanes: number; keys?: number | string }

/** An open loop: so many tasks in a second, each at its moment, however long the ones before it take. */
export type Flow = { perSecond: number; seconds: number }

/** What a worker process is to do: so many at once, each of them nothing, or waiting so long, or some of each. */
export type Work = { concurrency: number; sleepMs: number | 'mixed' }

/** A task system, as the benchmark sees it. */
export type Contestant = {
  name: string
  /** What it keeps of a task that is done, and other things that a figure does not say. */
  about: string
  /** Why it cannot be measured here. */
  missing?(): string | undefined
  /** The workloads that mean something for it; all, unless it says otherwise. */
  workloads?: readonly string[]
  /** The share of the tasks that it gets where their number is free, so that a slow one does not take minutes; 1 unless told. */
  share?: number
  /** Left out unless asked for by name. */
  isExtra?: boolean
  /** Brings it up with nothing in it, in `folder`. */
  open(folder: string): Promise<Entry>
}

/** A contestant that is up. */
export type Entry = {
  submit(count: number, shape: Shape): Promise<void>
  /** One task a request; the payload tells when it was due. */
  flow(flow: Flow): Promise<void>
  /** Starts a worker process, and says of it when its handler was first called, and when for so many tasks. */
  work(expected: number, work: Work): Promise<Working>
  /** Stops the worker processes as an operator would. */
  stopWorkers(): Promise<void>
  /** Kills the worker processes with -9. */
  killWorkers(): Promise<void>
  /** How many tasks the store says are done. */
  completed(): Promise<number>
  /** What PostgreSQL has done so far; undefined where there is none. Exact only when everybody else has left it. */
  effort(): Promise<Effort | undefined>
  /** The processes of each part, for what they cost. */
  pids(): Record<string, readonly number[]>
  /** Of Millrace only: its database and its API. */
  own?: { databaseUrl: string; apiUrl: string }
  /** Stops all programs, not the servers. */
  leave(): Promise<void>
  close(): Promise<void>
}

export type Working = {
  /** When the first task began, milliseconds since 1970. */
  firstAtMs: Promise<number>
  /** Resolves when the handler was called for all tasks; their outcomes may not be stored yet. */
  all: Promise<void>
  /** Of each task of a flow that has begun: when it was due, milliseconds since 1970, and how much later it began. */
  delays: readonly Delay[]
}

export type Delay = readonly [dueAtMs: number, ms: number]

/** Since the server was made. */
export type Effort = {
  walBytes: number
  commits: number
  updates: number
  heapOnlyUpdates: number
  /** Of Millrace only: what was sent through the queue, or would be if there were a broker. */
  packets?: number
}
