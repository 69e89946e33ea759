import { defineTask } from '../src/index.ts'
import { nothing } from './serve.ts'

/** What the benchmark runs: work that is nothing, or waiting. */
export const tasks = [
  defineTask({
    type: 'noop',
    run: nothing(Number(process.env.BENCH_TASKS), Number(process.env.BENCH_SLEEP_MS ?? 0)),
  }),
]
