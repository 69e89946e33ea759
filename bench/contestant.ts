/** How a load arrives: so many tasks in one request, so many requests under way. */
export type Shape = { inOne: number; lanes: number }

/** What the one worker process is to do: so many at once, each of them nothing, or waiting so long. */
export type Work = { concurrency: number; sleepMs: number }

/** A task system, as the benchmark sees it. */
export type Contestant = {
  name: string
  /** What it keeps of a task that is done, and other things that a figure does not say. */
  about: string
  /** Why it cannot be measured here. */
  missing?(): string | undefined
  /** Whether it can do that kind of work; any, unless it says otherwise. */
  isFor?(work: Work): boolean
  /** Brings it up with nothing in it, in `folder`. */
  open(folder: string): Promise<Entry>
}

/** A contestant that is up. */
export type Entry = {
  submit(count: number, shape: Shape): Promise<void>
  /** Starts the one worker process, for so many tasks. */
  work(expected: number, work: Work): Promise<Working>
  /** How many tasks the store says are done. */
  completed(): Promise<number>
  /** Bytes of write-ahead log so far; undefined where there is none. */
  walBytes(): Promise<number | undefined>
  /** The processes of each part, for what they cost. */
  pids(): Record<string, readonly number[]>
  close(): Promise<void>
}

export type Working = {
  /** When the first task began, milliseconds since 1970. */
  firstAtMs: Promise<number>
  /** Resolves when the handler was called for all tasks; their outcomes may not be stored yet. */
  all: Promise<void>
}
