import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Metric } from '../domain/metric.ts'
import type { Database } from '../storage/connection.ts'
import { version } from './version.ts'

const resolutionMs = 20

/** What a process measures of itself: memory, CPU, how late its event loop is, and its connections to the database. */
export function processMetrics(pools: Record<string, Database>): () => Metric[] {
  const delays = monitorEventLoopDelay({ resolution: resolutionMs })
  delays.enable()
  return () => [...vitals(), eventLoopLag(delays), ...poolMetrics(pools)]
}

const one = (kind: 'gauge' | 'counter', name: string, help: string, value: number): Metric => ({
  kind,
  name,
  help,
  samples: [{ value }],
})

function vitals(): Metric[] {
  const { user, system } = process.cpuUsage()
  const startedAt = Date.now() / 1000 - process.uptime()
  return [
    {
      kind: 'gauge',
      name: 'millrace_build_info',
      help: 'What runs here; always 1.',
      samples: [{ labels: { version, node: process.versions.node }, value: 1 }],
    },
    one('counter', 'process_cpu_seconds_total', 'CPU that the process has used.', (user + system) / 1e6),
    one('gauge', 'process_resident_memory_bytes', 'Memory of the process.', process.memoryUsage.rss()),
    one('gauge', 'process_start_time_seconds', 'When the process started, since 1970.', startedAt),
  ]
}

/** Since the last time somebody asked. */
function eventLoopLag(delays: ReturnType<typeof monitorEventLoopDelay>): Metric {
  const lagAt = (percentile: number) =>
    delays.count === 0 ? 0 : Math.max(0, delays.percentile(percentile) / 1e9 - resolutionMs / 1000)
  const samples = [50, 99, 100].map((percentile) => ({
    labels: { quantile: String(percentile / 100) },
    value: lagAt(percentile),
  }))
  delays.reset()
  return {
    kind: 'gauge',
    name: 'millrace_event_loop_lag_seconds',
    help: 'How late the event loop of the process was, by quantiles since the last scrape.',
    samples,
  }
}

function poolMetrics(pools: Record<string, Database>): Metric[] {
  const entries = Object.entries(pools).map(([pool, database]) => ({ pool, ...database.pool() }))
  return [
    {
      kind: 'gauge',
      name: 'millrace_database_connections',
      help: 'Connections to the database, by pool, and whether they are in use.',
      samples: entries.flatMap(({ pool, open, idle }) => [
        { labels: { pool, state: 'used' }, value: open - idle },
        { labels: { pool, state: 'idle' }, value: idle },
      ]),
    },
    {
      kind: 'gauge',
      name: 'millrace_database_connection_waits',
      help: 'Statements that wait for a connection, by pool.',
      samples: entries.map(({ pool, waiting }) => ({ labels: { pool }, value: waiting })),
    },
  ]
}
