/** How late a deadline may be noticed. */
const tickMs = 50

/** One timer for the deadlines of all attempts; none while there are no deadlines. */
export type Deadlines<Item> = {
  /** Calls `expire(item)` in `timeoutMs`, up to 50 ms late. Answers the place to `clear` it from. */
  set(item: Item, timeoutMs: number): number
  clear(item: Item, tick: number): void
  stop(): void
}

export function createDeadlines<Item>(
  expire: (item: Item) => void,
  nowMs: () => number = () => performance.now(),
): Deadlines<Item> {
  const slots = new Map<number, Set<Item>>()
  let nextTick = 0
  let timer: NodeJS.Timeout | undefined
  return { set, clear, stop }

  function set(item: Item, timeoutMs: number) {
    const tick = Math.ceil((nowMs() + timeoutMs) / tickMs)
    const slot = slots.get(tick)
    if (slot) slot.add(item)
    else slots.set(tick, new Set([item]))
    if (!timer) {
      nextTick = Math.floor(nowMs() / tickMs)
      timer = setTimeout(turn, tickMs)
    }
    return tick
  }

  function clear(item: Item, tick: number) {
    const slot = slots.get(tick)
    if (slot?.delete(item) && slot.size === 0) slots.delete(tick)
  }

  function turn() {
    for (const nowTick = Math.floor(nowMs() / tickMs); nextTick <= nowTick; nextTick++) {
      for (const item of slots.get(nextTick) ?? []) expire(item)
      slots.delete(nextTick)
    }
    timer = slots.size > 0 ? setTimeout(turn, tickMs) : undefined
  }

  function stop() {
    clearTimeout(timer)
    timer = undefined
    slots.clear()
  }
}
