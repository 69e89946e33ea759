import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { defineTask } from 'millrace'

// Handlers that take their process with them, and some that do not.

export const fine = defineTask({
  type: 'fine',
  run(input, { log }) {
    log.info({ input }, 'at work')
    return input
  },
})
export const pid = defineTask({ type: 'pid', run: () => process.pid })
export const nap = defineTask({ type: 'nap', run: () => sleep(50) })
export const fail = defineTask({
  type: 'fail',
  maxAttempts: 7,
  run: () => Promise.reject(new TypeError('as usual')),
})

/** Writes its process's id to the file that its payload names, and goes on until its signal aborts. */
export const wait = defineTask({
  type: 'wait',
  async run(input, { signal }) {
    writeFileSync(String(input), String(process.pid))
    await sleep(600_000, undefined, { signal }).catch(() => {})
    writeFileSync(`${input}.aborted`, String(signal.reason))
  },
})

/** Says more than anybody wants to hear. */
export const talk = defineTask({
  type: 'talk',
  async run(_input, { progress }) {
    for (let done = 1; done <= 100_000; done++) progress(done, undefined, 'done')
  },
})

export const exit = defineTask({ type: 'exit', run: () => process.exit(7) })
export const kill = defineTask({ type: 'kill', run: () => process.kill(process.pid, 'SIGKILL') })
export const abort = defineTask({ type: 'abort', run: () => process.abort() })

export const bomb = defineTask({
  type: 'bomb',
  run() {
    setTimeout(() => {
      throw new Error('tick')
    }, 20)
  },
})

export const loop = defineTask({
  type: 'loop',
  run(input) {
    if (typeof input === 'string') writeFileSync(input, String(process.pid))
    for (;;);
  },
})

/** Blocks its process for 300 ms, once it has written its id to the file that its payload names. */
export const block = defineTask({
  type: 'block',
  run(input) {
    writeFileSync(String(input), String(process.pid))
    for (const untilMs = performance.now() + 300; performance.now() < untilMs; );
  },
})

export const memory = defineTask({
  type: 'memory',
  run() {
    const kept: number[][] = []
    for (;;) kept.push(Array.from({ length: 100_000 }, Math.random))
  },
})

export const floating = defineTask({
  type: 'floating',
  run() {
    void Promise.reject(new Error('nobody waits for me'))
    return 'fine'
  },
})

export const signals = defineTask({
  type: 'signals',
  async run() {
    process.kill(process.pid, 'SIGINT')
    process.kill(process.pid, 'SIGTERM')
    await sleep(50)
    return 'ignored'
  },
})
