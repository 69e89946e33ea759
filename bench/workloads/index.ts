import type { Workload } from '../workload.ts'
import { drain, mixed } from './drain.ts'
import { endToEnd } from './end-to-end.ts'
import { backlog, history } from './large.ts'
import { latency } from './latency.ts'
import { keyLimits, tenants } from './limits.ts'
import { reads } from './reads.ts'
import { recovery } from './recovery.ts'
import { retention } from './retention.ts'
import { snapshot } from './snapshot.ts'
import { waiting } from './waiting.ts'

export const workloads: readonly Workload[] = [
  drain,
  mixed,
  endToEnd(1_000, 4, 100_000),
  endToEnd(100, 8, 50_000),
  endToEnd(10, 16, 20_000),
  endToEnd(1, 64, 20_000),
  latency,
  keyLimits,
  tenants,
  waiting(1_000),
  waiting(10_000),
  waiting(50_000),
  recovery,
  backlog(1_000_000),
  backlog(10_000_000),
  history(10_000_000),
  reads,
  retention,
  snapshot,
]
