/** Failed tasks whose errors are alike. */
export type FailureGroup = {
  fingerprint: string
  name: string
  message: string
  topFrame: string | null
  types: string[]
  queues: string[]
  /** Tasks that are failed now. */
  count: number
  firstSeenAt: string
  lastSeenAt: string
  sampleTaskId: string
  /** How many failed in each of the last 24 hours, the present one last. */
  trend: number[]
}

export type FailureGroupQuery = {
  order?: 'latest' | 'most'
  type?: string
  queue?: string
  limit?: number
  cursor?: string
}

export type FailureGroupPage = { data: FailureGroup[]; page: { next: string | null } }
