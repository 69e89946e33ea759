import { StoreUnavailableError } from '../domain/errors.ts'
import { distributionOf, type Happened, type HappenedStore, type Metric } from '../domain/metric.ts'
import type { TaskReader } from '../domain/ports.ts'
import type { Stats } from '../domain/stats.ts'
import type { BrokerState, LedgerState, SystemStore } from '../domain/system.ts'
import { statuses } from '../domain/task.ts'
import { countingHappened, others } from './happened.ts'

export type MetricsDeps = {
  reader: Pick<TaskReader, 'stats'>
  system: Pick<SystemStore, 'ledger'>
  happened: HappenedStore
  broker: () => BrokerState | null
  /** What this process measures of itself. */
  own: () => Metric[]
}

const mostQueues = 100

/**
 * All that is measured: of the installation, the same from every api process, and of this process. While the database is away
 * it is only the latter.
 */
export function measuring(deps: MetricsDeps): { readMetrics(): Promise<Metric[]> } {
  const { reader, system, happened, broker, own } = deps
  const count = countingHappened(happened)
  return {
    async readMetrics() {
      const ofBroker = broker()
      const mine = [...own(), ...(ofBroker ? brokerMetrics(ofBroker) : [])]
      try {
        const [stats, ledger, counts] = await Promise.all([reader.stats(), system.ledger(), count()])
        const shared = [...queueMetrics(stats), ...ledgerMetrics(ledger, ofBroker), ...taskMetrics(counts)]
        return [...shared, databaseUp(1), ...mine]
      } catch (error) {
        if (!(error instanceof StoreUnavailableError)) throw error
        return [databaseUp(0), ...mine]
      }
    },
  }
}

const gauge = (name: string, help: string, value: number): Metric => ({
  kind: 'gauge',
  name,
  help,
  samples: [{ value }],
})

const databaseUp = (value: number) =>
  gauge('millrace_database_up', 'Whether the database has answered.', value)

function brokerMetrics({ connected, blocked }: BrokerState): Metric[] {
  const takes = connected && blocked === null
  return [gauge('millrace_broker_up', 'Whether the broker is connected and takes messages.', Number(takes))]
}

function queueMetrics({ queues, unserved }: Stats): Metric[] {
  const shown = foldQueues(queues)
  const each = (name: string, help: string, measure: (queue: Stats['queues'][number]) => number): Metric => ({
    kind: 'gauge',
    name,
    help,
    samples: shown.map((one) => ({ labels: { queue: one.queue }, value: measure(one) })),
  })
  return [
    {
      kind: 'gauge',
      name: 'millrace_queue_tasks',
      help: 'Tasks by queue and status; those that are pending are the depth of the queue.',
      samples: shown.flatMap(({ queue, counts }) =>
        statuses.map((status) => ({ labels: { queue, status }, value: counts[status] })),
      ),
    },
    each(
      'millrace_queue_oldest_pending_age_seconds',
      'How long the oldest task that is pending has waited; 0 when none is.',
      ({ oldestPendingAgeMs }) => (oldestPendingAgeMs ?? 0) / 1000,
    ),
    each('millrace_queue_workers', 'Live workers of the queue.', ({ workers }) => workers),
    each(
      'millrace_queue_slots',
      'Tasks that the live workers of the queue can run at once.',
      ({ slots }) => slots,
    ),
    gauge(
      'millrace_unserved_types',
      'Types with unfinished tasks that no live worker has a handler for.',
      unserved.length,
    ),
  ]
}

/** The queues with the most unfinished tasks, and the rest as one. */
function foldQueues(queues: Stats['queues']): Stats['queues'] {
  const unfinished = ({ counts }: Stats['queues'][number]) =>
    counts.scheduled + counts.pending + counts.processing
  const sorted = [...queues].sort((a, b) => unfinished(b) - unfinished(a) || (a.queue < b.queue ? -1 : 1))
  const rest = sorted.slice(mostQueues)
  if (rest.length === 0) return sorted
  const sum = (of: (queue: Stats['queues'][number]) => number) => rest.reduce((all, one) => all + of(one), 0)
  const counts = { ...rest[0]!.counts }
  for (const status of statuses) counts[status] = sum((one) => one.counts[status])
  const oldestPendingAgeMs = Math.max(...rest.map(({ oldestPendingAgeMs: ms }) => ms ?? 0))
  const folded = {
    counts,
    oldestPendingAgeMs,
    workers: sum((one) => one.workers),
    slots: sum((one) => one.slots),
  }
  return [...sorted.slice(0, mostQueues), { ...rest[0]!, queue: others, ...folded }]
}

function ledgerMetrics(ledger: LedgerState, broker: BrokerState | null): Metric[] {
  const states = [
    { labels: { state: 'waiting' }, value: ledger.waitingPackets },
    { labels: { state: 'held' }, value: ledger.heldPackets },
  ]
  const packets: Metric = {
    kind: 'gauge',
    name: 'millrace_packets',
    help: `Packets of tasks in the ledger; ${ledger.mostCounted} is this many or more.`,
    samples: broker ? [...states, { labels: { state: 'unsent' }, value: ledger.unsentPackets }] : states,
  }
  if (!broker) return [packets]
  const help = 'How long the oldest packet has waited for being sent to the broker.'
  return [packets, gauge('millrace_relay_lag_seconds', help, (ledger.oldestUnsentAgeMs ?? 0) / 1000)]
}

function taskMetrics(counts: readonly Happened[]): Metric[] {
  const labelsOf = ({ queue, type }: Happened) => ({ queue, type })
  return [
    {
      kind: 'counter',
      name: 'millrace_tasks_submitted_total',
      help: 'Tasks that were submitted.',
      samples: counts.map((one) => ({ labels: labelsOf(one), value: one.submitted })),
    },
    {
      kind: 'counter',
      name: 'millrace_tasks_finished_total',
      help: 'Tasks that became final, by what became of them.',
      samples: counts.flatMap((one) =>
        (['completed', 'failed', 'canceled'] as const).map((outcome) => ({
          labels: { ...labelsOf(one), outcome },
          value: one[outcome],
        })),
      ),
    },
    {
      kind: 'counter',
      name: 'millrace_attempts_total',
      help: 'Attempts that began.',
      samples: counts.map((one) => ({
        labels: labelsOf(one),
        value: one.waiting.reduce((sum, n) => sum + n, 0),
      })),
    },
    {
      kind: 'histogram',
      name: 'millrace_task_waiting_seconds',
      help: 'From being due to the beginning of an attempt. Sums are right to within 9 %.',
      samples: counts.map((one) => distributionOf(one.waiting, labelsOf(one))),
    },
    {
      kind: 'histogram',
      name: 'millrace_task_running_seconds',
      help: 'How long attempts ran. Sums are right to within 9 %.',
      samples: counts.map((one) => distributionOf(one.running, labelsOf(one))),
    },
  ]
}
