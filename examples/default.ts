import { setTimeout as sleep } from 'node:timers/promises'
import { defineTask } from 'millrace'

const workMs = 3_000

/** The task that is run when nothing else is asked for: three seconds of work, then the length of its payload. */
export default defineTask({
  type: 'default',
  async run(input, { payloadText, signal }) {
    await sleep(workMs, undefined, { signal })
    return lengthOf(typeof input === 'string' ? input : payloadText)
  },
})

/** Counts characters, not the UTF-16 units of `length`. */
function lengthOf(text: string): number {
  let length = 0
  for (const _ of text) length++
  return length
}
