import type { Hold } from './hold.ts'
import type { WorkerInfo } from './ports.ts'
import type { Status } from './task.ts'
import type { Past } from './timeline.ts'

/** What decides why a task does not run, as it was at one moment. */
export type Situation = {
  now: string
  task: {
    id: string
    status: Status
    type: string
    queue: string
    attempt: number
    maxAttempts: number
    failures: number
    runAt: string
    startedAt: string | null
    finishedAt: string | null
    workerId: string | null
  }
  /** When it is looked at again; of scheduled tasks. */
  nextLookAt: string | null
  /** Live workers. */
  workers: readonly Pick<WorkerInfo, 'id' | 'host' | 'queues' | 'types'>[]
  hold: Hold | undefined
  /** How many tasks are before it, about; of pending ones. */
  ahead: number
  /** How many tasks of its queue end in a second; null when that is not known. */
  perSecond: number | null
}

export type SituationReader = {
  situationOf(id: string): Promise<Situation | undefined>
  pastOf(id: string): Promise<Past | undefined>
}

export const whyCodes = [
  'due-later',
  'backing-off',
  'queue-paused',
  'queue-limit',
  'key-limit',
  'no-worker-for-queue',
  'no-worker-for-type',
  'behind-others',
  'starting',
  'running',
  'final',
] as const
export type WhyCode = (typeof whyCodes)[number]

/** Why a task does not run now: one sentence, and what it was made of. */
export type Why = {
  taskId: string
  status: Status
  code: WhyCode
  sentence: string
  details: Record<string, string | number | null>
}

/** Decides it. What stops a task altogether comes before what only makes it wait. */
export function whyOf(situation: Situation): Why {
  const { id, status } = situation.task
  const [code, sentence, details] = reasonOf(situation)
  return { taskId: id, status, code, sentence, details }
}

type Reason = [code: WhyCode, sentence: string, details: Why['details']]

function reasonOf(situation: Situation): Reason {
  const { status } = situation.task
  if (status === 'scheduled') return scheduled(situation)
  if (status === 'pending') return pending(situation)
  return status === 'processing' ? running(situation) : ended(situation)
}

function ended({ task: { status, finishedAt, attempt, failures } }: Situation): Reason {
  const details = { finishedAt, attempt, failures }
  if (status === 'completed') return ['final', `Completed at ${finishedAt}, in attempt ${attempt}.`, details]
  if (status === 'canceled') return ['final', `Canceled at ${finishedAt}.`, details]
  return ['final', `Failed for good at ${finishedAt}, in attempt ${attempt}.`, details]
}

function running({ now, task: { workerId, startedAt, attempt }, workers }: Situation): Reason {
  const host = workers.find(({ id }) => id === workerId)?.host
  const details = { workerId, host: host ?? null, startedAt, attempt }
  if (host === undefined) {
    const sentence = `Worker ${workerId} of attempt ${attempt} is not to be seen; if it is gone, the task starts again elsewhere within seconds.`
    return ['running', sentence, details]
  }
  return ['running', `Attempt ${attempt} runs on ${host}, for ${spanned(now, startedAt ?? now)}.`, details]
}

function scheduled(situation: Situation): Reason {
  const { now, task, nextLookAt } = situation
  const { runAt, failures, maxAttempts } = task
  if (Date.parse(runAt) > Date.parse(now)) {
    if (failures === 0) return ['due-later', `Due at ${runAt}, in ${spanned(runAt, now)}.`, { runAt }]
    const tries = `It has failed ${failures === 1 ? 'once' : `${failures} times`} of ${maxAttempts} at most`
    const sentence = `${tries}, and is backing off until ${runAt}, for ${spanned(runAt, now)}.`
    return ['backing-off', sentence, { runAt, failures, maxAttempts }]
  }
  // It was due: either nobody could run it when its turn came, and it is offered again now and then, or it comes next.
  const unserved = nobodyFor(situation)
  if (!unserved) return ['starting', 'It is due, and becomes pending in a moment.', { runAt }]
  const [code, sentence, details] = unserved
  const again =
    nextLookAt && Date.parse(nextLookAt) > Date.parse(now) ? ` It is offered again at ${nextLookAt}.` : ''
  return [code, `${sentence}${again}`, { ...details, nextLookAt }]
}

function nobodyFor({ task: { queue, type }, workers }: Situation): Reason | undefined {
  const serving = workers.filter(({ queues }) => queues.includes(queue))
  if (serving.length === 0)
    return ['no-worker-for-queue', `No live worker takes tasks of queue ${queue}.`, { queue, type }]
  if (!serving.some(({ types }) => types.includes(type))) {
    const sentence = `No live worker of queue ${queue} handles type ${type}.`
    return ['no-worker-for-type', sentence, { queue, type, workers: serving.length }]
  }
  return undefined
}

function pending(situation: Situation): Reason {
  const { now, hold, ahead, perSecond, task } = situation
  if (hold?.by === 'queue-paused') {
    const { queue, pausedAt } = hold
    return [
      'queue-paused',
      `Queue ${queue} is paused, since ${pausedAt}, ${spanned(now, pausedAt)} ago.`,
      { queue, pausedAt },
    ]
  }
  const unserved = nobodyFor(situation)
  if (unserved) return unserved
  if (hold) return limited(hold)
  if (ahead === 0) {
    const sentence = 'Nothing is ahead of it: it starts as soon as a worker has a free slot.'
    return ['starting', sentence, { queue: task.queue, ahead, etaMs: 0 }]
  }
  const etaMs = perSecond === null || perSecond <= 0 ? null : Math.round((ahead / perSecond) * 1000)
  const details = { queue: task.queue, ahead, etaMs, perSecond }
  const eta = etaMs === null ? '' : `, about ${spoken(etaMs)}`
  return ['behind-others', `${grouped(ahead)} ahead of it${eta}.`, details]
}

function limited(hold: Exclude<Hold, { by: 'queue-paused' }>): Reason {
  const { by, running, concurrency, ratePerSecond, readyInMs } = hold
  const name = hold.by === 'key-limit' ? `key ${hold.key} in queue ${hold.queue}` : `queue ${hold.queue}`
  const { by: _by, ...details } = hold
  if (readyInMs === null)
    return [
      by,
      `The limit of ${name} is reached: ${grouped(running)} run, and ${grouped(concurrency ?? 0)} may.`,
      details,
    ]
  return [
    by,
    `The limit of ${name} is reached: ${ratePerSecond} may start in a second, the next in ${spoken(readyInMs)}.`,
    details,
  ]
}

const spanned = (later: string, earlier: string) => spoken(Date.parse(later) - Date.parse(earlier))

/** A duration in its largest unit, of which there are at least two where there is a smaller one. */
function spoken(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`
  for (const [unit, length] of units)
    if (ms >= 2 * length) return `${grouped(Math.round(ms / length))} ${unit}`
  return '1 s'
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const

const grouped = (n: number) => String(n).replace(/\B(?=(\d{3})+$)/g, ',')
