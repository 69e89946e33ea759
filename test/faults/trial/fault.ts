import type { Link } from '../system/link.ts'

export type Transport = 'postgresql' | 'rabbitmq'

/** Numbers that a seed decides. */
export type Random = {
  /** 0 up to, and without, 1. */
  next(): number
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number
  pick<T>(list: readonly T[]): T
}

/**
 * What a fault may do to tasks without breaking a promise. The checker takes everything else for a violation:
 * `restarts`: attempts that were running on the members it strikes may be cut short and their tasks start again;
 * `exits`: members it strikes end; `outage`: clients may be answered 503 while it lasts and a moment after.
 */
export type Effect = 'restarts' | 'exits' | 'outage'

/** One thing that goes wrong. */
export type Fault = {
  /** As reports name it, in plain words: `worker kill -9`. */
  kind: string
  transports: readonly Transport[]
  effects: readonly Effect[]
  /** About how long it takes, where that is more than some seconds. It then goes on beside others. */
  takesMs?: number
  /** What it strikes: never two of one part at once. By default the file it is in is a part. */
  part?: string
  /** Why it cannot happen on this machine, or undefined when it can. */
  missing?(): string | undefined
  /**
   * Does it to the running system, undoes it, and resolves when it is undone; the system need not have recovered.
   * Answers the members it struck, if not all of them, and which of its variants it was.
   */
  strike(
    system: System,
    random: Random,
  ): Promise<{ members?: readonly Member[]; detail?: string } | undefined>
}

/** An api or worker process under test. It runs again soon after it has ended, as under a supervisor. */
export type Member = {
  /** `api-1`, `worker-2`. */
  name: string
  role: 'api' | 'worker'
  /** Of the process that runs now. */
  pid(): number
  /** Where it answers, for an api. The port stays the same for life. */
  url: string
  kill(signal: NodeJS.Signals): void
  /** SIGTERM; resolves when it has ended. It is not started again until `start`. */
  stop(): Promise<{ code: number | NodeJS.Signals; tookMs: number }>
  /** Starts it if it does not run, with more settings than the usual ones if given; resolves when it is ready. */
  start(more?: Record<string, string>): Promise<void>
  /** Resolves when the process that runs now has ended. */
  ended(): Promise<number | NodeJS.Signals>
}

/** PostgreSQL under test. */
export type DatabaseServer = {
  /** Past the link, for who observes and operates. */
  url: string
  /** What members connect through. */
  link: Link
  dataDir: string
  postmasterPid(): number
  /** As an administrator does: `pg_ctl restart -m fast`. Resolves when it accepts connections. */
  restart(): Promise<void>
  stop(): Promise<void>
  start(): Promise<void>
  /** Kills the postmaster with -9, and starts it again. Resolves when it accepts connections. */
  kill(): Promise<void>
  /** Runs a statement on a connection of its own. */
  query<Row extends Record<string, unknown>>(statement: string, values?: unknown[]): Promise<Row[]>
}

/** RabbitMQ under test: one node. */
export type BrokerServer = {
  /** Past the link. */
  url: string
  link: Link
  kill(): Promise<void>
  /** Whether these queues would outlive a kill; see `BrokerNode`. */
  keeps(queues: readonly string[]): boolean
  start(): Promise<void>
  /** Runs `rabbitmqctl` against the node. */
  control(args: readonly string[]): Promise<string>
}

export type System = {
  transport: Transport
  apis: readonly Member[]
  workers: readonly Member[]
  database: DatabaseServer
  /** With the transport `rabbitmq`. */
  broker: BrokerServer | undefined
  /** Submits tasks of a misbehaving type beside the load; the load client writes them down as any others. */
  submit(
    tasks: readonly { type: string; payload?: unknown; maxAttempts?: number; timeoutMs?: number }[],
  ): Promise<string[]>
  /** Cancels a task, and writes the answer down. */
  cancel(id: string): Promise<void>
  /** Asks for a retry, and writes the answer down. */
  retry(id: string): Promise<void>
  /** The lease after which a silent worker is declared dead, milliseconds. */
  leaseMs: number
}
