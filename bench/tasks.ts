import { defineTask } from '../src/index.ts'
import { nothing } from './serve.ts'

/** What the benchmark runs: work that is nothing, and work that is waiting. */
export const tasks = [
  defineTask({
    type: 'noop',
    run: nothing(Number(process.env.BENCH_TASKS), Number(process.env.BENCH_SLEEP_MS ?? 0)),
  }),
  defineTask({ type: 'wait', run: () => new Promise((resolve) => setTimeout(resolve, 3_000)) }),
  defineTask({
    type: 'wait-at-first',
    run: (_input, { attempt }) => new Promise((resolve) => setTimeout(resolve, attempt === 1 ? 60_000 : 100)),
  }),
]
