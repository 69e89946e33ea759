/** What a check found, and what to do about it unless all is well. */
export type Finding = { check: string; state: 'ok' | 'warn' | 'fail'; detail: string; advice?: string }

/** What takes its time to measure. */
export type Sizes = {
  /** Of PostgreSQL. */
  version: string
  sizeBytes: number
  partitions: {
    name: string
    /** What was created from then on, and before `to`; null is without a bound. */
    from: string | null
    to: string | null
    /** As PostgreSQL estimates it. */
    rows: number
    bytes: number
    /** About to go with its tasks, of which none is retried any more. */
    sealed: boolean
  }[]
}

/** What waits and runs, in packets of tasks. Counts end at `mostCounted`. */
export type LedgerState = {
  waitingPackets: number
  /** Of those that wait, what the broker does not have. Without a broker that is all of them. */
  unsentPackets: number
  heldPackets: number
  oldestWaitingAgeMs: number | null
  oldestUnsentAgeMs: number | null
  mostCounted: number
}

/** `since` is when it was last connected, or lost. */
export type BrokerState = { connected: boolean; blocked: string | null; since: string }

export type SettingReport = { variable: string; value: string; source: 'env' | 'default'; meaning: string }

/** How an installation is. `measuredAt` and `checkedAt` are null before the first time, which is a moment away then. */
export type SystemState = {
  database: { version: string | null; sizeBytes: number | null; measuredAt: string | null }
  partitions: Sizes['partitions']
  ledger: Omit<LedgerState, 'oldestUnsentAgeMs'>
  /** How long packets wait for being sent to the broker; null without one. */
  relay: { lagMs: number } | null
  broker: BrokerState | null
  settings: SettingReport[]
  checks: Finding[]
  checkedAt: string | null
}

export type SystemStore = {
  sizes(): Promise<Sizes>
  ledger(): Promise<LedgerState>
}
