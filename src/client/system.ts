/** How an installation is; settings and checks are those of the process that answered. */
export type SystemState = {
  version: string
  at: string
  /** Null before the first measurement, which is a moment away then. */
  database: { version: string | null; sizeBytes: number | null; measuredAt: string | null }
  partitions: {
    name: string
    from: string | null
    to: string | null
    rows: number
    bytes: number
    sealed: boolean
  }[]
  ledger: {
    waitingPackets: number
    unsentPackets: number
    heldPackets: number
    oldestWaitingAgeMs: number | null
    /** The counts end here. */
    mostCounted: number
  }
  relay: { lagMs: number } | null
  broker: { connected: boolean; blocked: string | null; since: string } | null
  settings: { variable: string; value: string; source: 'env' | 'default'; meaning: string }[]
  checks: { check: string; state: 'ok' | 'warn' | 'fail'; detail: string; advice?: string }[]
  checkedAt: string | null
}
