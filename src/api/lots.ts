export type LotLimits<Item> = {
  /** A lot's sizes add up to this at most, or it is a single item. */
  lotSize: number
  sizeOf: (item: Item) => number
}

/**
 * Gathers items while the last lot is dealt with: whatever has come is the next lot. No more than two lots wait; then
 * the source is not read on.
 */
export async function* lotsOf<Item>(
  source: AsyncIterable<readonly Item[]>,
  { lotSize, sizeOf }: LotLimits<Item>,
): AsyncGenerator<Item[]> {
  let waiting: Item[] = []
  let waitingSize = 0
  let state: 'reading' | 'ended' | { error: unknown } | 'left' = 'reading'
  let change = Promise.withResolvers<void>()
  const tell = () => {
    change.resolve()
    change = Promise.withResolvers()
  }

  const read = async () => {
    for await (const items of source) {
      waiting = waiting.concat(items)
      waitingSize += items.reduce((sum, item) => sum + sizeOf(item), 0)
      tell()
      while (waitingSize >= 2 * lotSize && state === 'reading') await change.promise
      if (state === 'left') return
    }
    state = 'ended'
  }
  read()
    .catch((error: unknown) => {
      state = { error }
    })
    .finally(tell)

  try {
    for (;;) {
      const next = change.promise
      if (typeof state === 'object') throw (state as { error: unknown }).error
      if (waiting.length > 0) yield take()
      else if (state === 'reading') await next
      else return
    }
  } finally {
    state = 'left'
    tell()
  }

  function take(): Item[] {
    let count = 0
    let size = 0
    while (count < waiting.length) {
      const more = sizeOf(waiting[count]!)
      if (count > 0 && size + more > lotSize) break
      size += more
      count++
    }
    const lot = waiting.slice(0, count)
    waiting = waiting.slice(count)
    waitingSize -= size
    tell()
    return lot
  }
}
