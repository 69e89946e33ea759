type Call<In, Out> = { item: In; resolve: (out: Out) => void; reject: (error: unknown) => void }

export type BatchOptions<In> = {
  /** A run takes calls until their sizes add up to this. */
  maxSize: number
  /** Runs at the same time. */
  lanes: number
  /** What a call counts for; 1 unless told. */
  sizeOf?: (item: In) => number
  /** Whether an error is one item's fault: then the run is cut in half and tried again, until that item is alone. */
  isItemsFault?: (error: unknown) => boolean
}

/**
 * Turns a function over many items into a function over one. Whatever has gathered is run as soon as a lane is free:
 * no timers, nothing added when idle, and the busier it is the more goes into one run. `run` answers in the order
 * it was asked.
 */
export function batch<In, Out>(
  run: (items: In[]) => Promise<Out[]>,
  { maxSize, lanes, sizeOf = () => 1, isItemsFault = () => false }: BatchOptions<In>,
): (item: In) => Promise<Out> {
  let waiting: Call<In, Out>[] = []
  let running = 0
  let planned = false

  return (item) =>
    new Promise<Out>((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      plan()
    })

  /** After the present turn of the event loop, so that calls made in one turn share a run. */
  function plan() {
    if (planned || running >= lanes) return
    planned = true
    setImmediate(() => {
      planned = false
      while (running < lanes && waiting.length > 0) void flush(take())
    })
  }

  function take(): Call<In, Out>[] {
    let count = 0
    for (let size = 0; count < waiting.length; count++) {
      size += sizeOf(waiting[count]!.item)
      if (count > 0 && size > maxSize) break
    }
    const calls = waiting.slice(0, count)
    waiting = waiting.slice(count)
    return calls
  }

  async function flush(calls: Call<In, Out>[]) {
    running++
    await settle(calls)
    running--
    if (waiting.length > 0) plan()
  }

  async function settle(calls: Call<In, Out>[]): Promise<void> {
    try {
      const outs = await run(calls.map((call) => call.item))
      calls.forEach((call, i) => {
        call.resolve(outs[i]!)
      })
    } catch (error) {
      if (calls.length > 1 && isItemsFault(error)) return settleHalves(calls)
      for (const call of calls) call.reject(error)
    }
  }

  async function settleHalves(calls: Call<In, Out>[]): Promise<void> {
    const middle = Math.ceil(calls.length / 2)
    await settle(calls.slice(0, middle))
    await settle(calls.slice(middle))
  }
}
