import type { QueueGate } from '../domain/queue.ts'

/** What one claim may ask for: queues that stand open, all at once, or one that has limits, through its gate. */
export type Way = { queues: readonly string[] } | { gate: string }

/**
 * The ways into these queues. A paused one has none. They take turns at being first, so that what fills all the room by
 * itself keeps the others waiting no longer than for one claim.
 */
export function waysInto(
  queues: readonly string[],
  gates: readonly QueueGate[],
  turn: number,
): { ways: Way[]; paused: number } {
  const gateOf = new Map(gates.map((gate) => [gate.queue, gate]))
  const open = queues.filter((queue) => !gateOf.has(queue))
  const limited = queues.filter((queue) => gateOf.get(queue)?.isPaused === false)
  const ways: Way[] = limited.map((gate) => ({ gate }))
  if (open.length > 0) ways.push({ queues: open })
  const first = ways.length === 0 ? 0 : turn % ways.length
  return {
    ways: [...ways.slice(first), ...ways.slice(0, first)],
    paused: queues.length - open.length - limited.length,
  }
}
