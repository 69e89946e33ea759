import type { Workload } from '../workload.ts'
import { drain } from './drain.ts'
import { endToEnd } from './end-to-end.ts'
import { latency } from './latency.ts'
import { recovery } from './recovery.ts'
import { waiting } from './waiting.ts'

export const workloads: readonly Workload[] = [
  drain,
  endToEnd(1_000, 4, 100_000),
  endToEnd(100, 8, 50_000),
  endToEnd(10, 16, 20_000),
  endToEnd(1, 64, 20_000),
  latency,
  waiting(1_000),
  waiting(10_000),
  waiting(50_000),
  recovery,
]
