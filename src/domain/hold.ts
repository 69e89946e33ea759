/**
 * Why a pending task does not start although a worker has room: its queue is paused, or a limit of the queue or of the
 * task's key is reached. `readyInMs`: when a rate lets the next one start; null where it waits for others to end.
 */
export type Hold =
  | { by: 'queue-paused'; queue: string; pausedAt: string }
  | ({ by: 'queue-limit'; queue: string } & Bound)
  | ({ by: 'key-limit'; queue: string; key: string } & Bound)

type Bound = {
  running: number
  concurrency: number | null
  ratePerSecond: number | null
  readyInMs: number | null
}
