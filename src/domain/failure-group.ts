/** Failures that are alike, see `fingerprintOf`. */
export type FailureGroup = {
  fingerprint: string
  /** Of the latest failure, like the message, the frame and the sample. */
  name: string
  message: string
  topFrame: string | null
  /** Of the tasks that failed so; the first few of them. */
  types: string[]
  queues: string[]
  /** Tasks that are failed now. */
  count: number
  firstSeenAt: string
  lastSeenAt: string
  sampleTaskId: string
  /** How many failed so in each of the last 24 hours, the present one last. */
  trend: number[]
}

export const failureOrders = ['latest', 'most'] as const
export type FailureOrder = (typeof failureOrders)[number]

/** Where a page ended: the instant or the count of its last group, and which one that was. */
export type FailurePosition = { value: string; fingerprint: string }

export type FailureGroupWish = {
  order: FailureOrder
  limit: number
  after?: FailurePosition
  /** Only groups in which a task of this type, or of this queue, has failed. */
  type?: string
  queue?: string
}

export type FailureGroupPage = { groups: FailureGroup[]; next: FailurePosition | null }

/** Each may be done by any number of processes at the same time. */
export type FailureGroups = {
  read(wish: FailureGroupWish): Promise<FailureGroupPage>
  /** Counts what has come and gone into the groups. Answers whether there may be more. */
  fold(): Promise<boolean>
  forget(retentionDays: number): Promise<void>
}
