/** The slots of a worker: how many tasks it may run at once, and a wait for the first that is free. */
export type Slots = ReturnType<typeof openSlots>

/** `onFreed` is called whenever a slot comes free. */
export function openSlots(concurrency: number, onFreed: () => void) {
  let taken = 0
  let closed = false
  let wake = () => {}

  return {
    room: () => Math.max(0, concurrency - taken),
    take(slots: number) {
      taken += slots
    },
    give() {
      taken--
      wake()
      onFreed()
    },
    /** Resolves when a slot is free, or when there will be no more use for one. */
    async free(): Promise<void> {
      while (taken >= concurrency && !closed) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
    close() {
      closed = true
      wake()
    },
  }
}
