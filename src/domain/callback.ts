import type { Batch } from './batch.ts'
import type { PacketRef } from './packet.ts'
import type { Load } from './ports.ts'
import type { NewTask, Submission } from './submission.ts'
import type { JsonText, Task } from './task.ts'

/** Types that begin like this are the system's own: nobody may submit them, and every worker has their handlers. */
export const ownTypes = 'millrace.'

/** Posts what its payload holds to where its payload says. */
export const webhookType = `${ownTypes}webhook`

/** What a delivery is made of. `body` is the JSON text to be posted, to the letter. */
export type Delivery = { url: string; body: JsonText; about: { id: string; queue: string } }

const deliveryAttempts = 10

/** The task that delivers. It waits in the queue of what it is about, where there are workers, before all others. */
export function deliverySubmission({ url, body, about }: Delivery): Submission {
  return {
    payload: JSON.stringify({ about: about.id, url, body }),
    type: webhookType,
    queue: about.queue,
    priority: 'high',
    due: 'now',
    maxAttempts: deliveryAttempts,
  }
}

/** Tasks of whose end somebody wants to be told. */
export type CallbackStore = {
  /** Looks through the callbacks that wait, in the order of their tasks: whose task is final, and where the look ended, null at the end. */
  ended(after: string | null, limit: number): Promise<{ ids: string[]; next: string | null }>
  /**
   * Makes the deliveries for those of these tasks that are final, in one transaction with the note that they are
   * made. Answers how many there were; portions of some 8 MB, so more may be left.
   */
  settle(
    ids: readonly string[],
    deliveryOf: (task: Task, url: string) => NewTask,
    loadOf: (fresh: readonly NewTask[]) => Load,
  ): Promise<{ settled: number; packets: PacketRef[] }>
}

/** A finished batch of whose end somebody wants to be told. */
export type EndedBatch = { batch: Batch; url: string; queue: string }

/** Batches of whose end somebody wants to be told. */
export type BatchCallbackStore = {
  /** Looks through the callbacks that wait, in the order of their batches: which of these are finished, and where the look ended, null at the end. */
  ended(after: string | null, limit: number): Promise<{ ids: string[]; next: string | null }>
  /** Makes the deliveries for those of these batches that are finished: once, because the note that they are made is in the same transaction. */
  settle(ids: readonly string[], loadOf: (ended: readonly EndedBatch[]) => Load): Promise<PacketRef[]>
}

const longestUrl = 2_048
const lowestFreePort = 1_024

export const callbackUrlRule = `must be an http or https URL of at most ${longestUrl} characters, without a user, to port 80, 443 or from ${lowestFreePort} up`

/** Whether a URL may be called at all. Whether its host may is seen when it is connected to. What parsers drop in silence is refused. */
export function isCallbackUrl(text: string): boolean {
  if (text.length > longestUrl || !text.isWellFormed() || /[\u0000-\u0020\u007f\\]/.test(text)) return false
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol) || url.hostname === '') return false
  if (!/^https?:\/\/[^/]/i.test(text) || url.username !== '' || url.password !== '') return false
  return url.port === '' || url.port === '80' || url.port === '443' || Number(url.port) >= lowestFreePort
}
