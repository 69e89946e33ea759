import type { JsonText, Priority } from './task.ts'

/** What a client asks for, checked and with its defaults filled in. */
export type Submission = {
  payload: JsonText
  type: string
  queue: string
  /** Who it is for: in a queue with limits, those of a key are limited together, and keys take turns. */
  key?: string
  priority: Priority
  /** When to run: at once, after a delay on the database's clock, or at an RFC 3339 instant. */
  due: Due
  /** Undefined leaves it to the handler, then to `defaultMaxAttempts`. */
  maxAttempts?: number
  /** One attempt's limit. Undefined leaves it to the handler, which may have none. */
  timeoutMs?: number
  idempotencyKey?: string
  /** Who is to be told when the task becomes final. */
  callbackUrl?: string
}

export type Due = 'now' | { afterMs: number } | { at: string }

/** A submission with the id that was made for it before the first try, so that the statement may be repeated. */
export type NewTask = Submission & { id: string; batchId?: string }

/** A batch's tasks are those of the key's range from `firstId` to `lastId` that carry its id. */
export type NewBatch = {
  id: string
  total: number
  firstId: string
  lastId: string
  /** Tasks are going to be added to it. */
  importing?: true
  sequel?: Sequel
  /** Who is told of its end, and where the delivery waits. */
  callback?: { url: string; queue: string }
}

/** What comes when a batch is finished. */
export type AtEnd = { sequel?: Sequel; callbackUrl?: string }

/** `then` to clients: what is submitted once, when the last task of a batch is final. Its payload goes along with the batch's counts. */
export type Sequel = Omit<Submission, 'payload' | 'idempotencyKey'> & { payload?: JsonText }

export const defaultMaxAttempts = 3
export const limits = {
  payloadBytes: 1024 * 1024,
  resultBytes: 1024 * 1024,
  batchTasks: 10_000,
  batchBytes: 16 * 1024 * 1024,
  nameLength: 128,
  idempotencyKeyLength: 255,
  keyLength: 255,
  maxAttempts: 100,
  jsonDepth: 100,
} as const
