import { defineTask } from '../src/index.ts'
import { nothing } from './serve.ts'

const sleep = process.env.BENCH_SLEEP_MS ?? '0'

/** What the benchmark runs: work that is nothing, or waiting. */
export const tasks = [
  defineTask({
    type: 'noop',
    run: nothing(Number(process.env.BENCH_TASKS), sleep === 'mixed' ? sleep : Number(sleep)),
  }),
]
