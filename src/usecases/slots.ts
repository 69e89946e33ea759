/**
 * The slots of a worker: how many tasks it may run at once, and a wait for the first that is free. A task gives its slot
 * back when its handler has ended, so that the next is claimed while the outcome is on its way; as many outcomes may
 * be on their way as there are slots, and then slots wait for them.
 */
export type Slots = ReturnType<typeof openSlots>

/** `onFreed` is called whenever there is more room. */
export function openSlots(concurrency: number, onFreed: () => void) {
  let taken = 0
  let ending = 0
  let closed = false
  let wake = () => {}

  const room = () => concurrency - taken - Math.max(0, ending - concurrency)

  return {
    room: () => Math.max(0, room()),
    running: () => taken,
    take(slots: number) {
      taken += slots
    },
    /** A handler has ended. */
    end: () =>
      freeing(() => {
        taken--
        ending++
      }),
    /** Its outcome is stored. */
    give: () =>
      freeing(() => {
        ending--
      }),
    /** Resolves when a slot is free, or when there will be no more use for one. */
    async free(): Promise<void> {
      while (room() <= 0 && !closed) {
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

  function freeing(change: () => void) {
    const before = room()
    change()
    if (room() <= before) return
    wake()
    onFreed()
  }
}
