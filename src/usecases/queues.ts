import type { Notices, TaskReader } from '../domain/ports.ts'
import type { Queue, QueueLimits, QueueSettings, QueueStore } from '../domain/queue.ts'
import type { QueueStats, Stats } from '../domain/stats.ts'
import type { UseCases } from './index.ts'

export type QueuesDeps = {
  queues: Omit<QueueStore, 'gates'>
  reader: Pick<TaskReader, 'stats'>
  notices: Pick<Notices, 'queuesChanged'>
}

const unlimited: QueueLimits = {
  concurrency: null,
  ratePerSecond: null,
  keyConcurrency: null,
  keyRatePerSecond: null,
}

/** Looking at queues, pausing them and changing their limits. A queue is there as soon as somebody names it. */
export function queueing(
  deps: QueuesDeps,
): Pick<UseCases, 'listQueues' | 'changeQueue' | 'pauseQueue' | 'resumeQueue'> {
  const { queues } = deps
  return {
    listQueues: () => list(deps),
    changeQueue: (name, changes) => after(deps, name, () => queues.change(name, changes)),
    pauseQueue: (name) => after(deps, name, () => queues.pause(name)),
    resumeQueue: (name) => after(deps, name, () => queues.resume(name)),
  }
}

async function after(deps: QueuesDeps, name: string, change: () => Promise<void>): Promise<Queue> {
  await change()
  deps.notices.queuesChanged()
  const all = await list(deps)
  return all.find((queue) => queue.name === name) ?? queueOf(name, undefined, undefined)
}

async function list({ queues, reader }: QueuesDeps): Promise<Queue[]> {
  const [settings, stats] = await Promise.all([queues.settings(), reader.stats()])
  const known = new Map(stats.queues.map((queue) => [queue.queue, queue]))
  const names = new Set([...known.keys(), ...settings.keys()])
  return [...names].sort().map((name) => queueOf(name, settings.get(name), known.get(name)))
}

const standing: QueueStats = {
  counts: { scheduled: 0, pending: 0, processing: 0, completed: 0, failed: 0, canceled: 0 },
  ...{ oldestPendingAgeMs: null, workers: 0, slots: 0 },
  ...{ submittedPerSecond: 0, endedPerSecond: 0, drainsInMs: null },
}

function queueOf(
  name: string,
  settings: QueueSettings = { pausedAt: null, ...unlimited },
  stats?: Stats['queues'][number],
): Queue {
  const { queue: _, ...state } = stats ?? { queue: name, ...standing }
  return { name, paused: settings.pausedAt !== null, ...settings, ...state }
}
