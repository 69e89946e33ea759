import { tracingChannel } from 'node:diagnostics_channel'
import pg from 'pg'
import { StoreRefusedError, StoreUnavailableError } from '../domain/errors.ts'
import { variantOf } from './listening.ts'

/** A named, prepared statement. Names are at most 63 bytes long: PostgreSQL cuts the rest. */
export type Statement = { name: string; text: string }
export type Row = unknown[]
export type Run = <R extends Row>(statement: Statement, values?: readonly unknown[]) => Promise<R[]>

export type Database = {
  /** Runs one statement in its own transaction. Rows are arrays in the order of the select list. */
  run: Run
  /** Runs several statements in one transaction; throwing rolls it back. */
  transaction<T>(work: (run: Run) => Promise<T>): Promise<T>
  /** How many connections there are, how many of them are idle, and how many callers wait for one. */
  pool(): { open: number; idle: number; waiting: number }
  close(): Promise<void>
}

export type DatabaseOptions = {
  connections: number
  /** Seconds after which a statement is given up; half-open links hang for ever otherwise. */
  statementTimeoutMs: number
  /** `moves`: plans by key, whatever the statistics say. `looks`: the planner decides for each call. */
  plans: 'moves' | 'looks'
  /** Whether somebody may listen to moves, which are then written down; not unless told. */
  isListenedTo?: () => boolean
}

// Plans that were made while a table was empty collapse later (6 to 150 times slower), so the hot statements
// are pinned to their one good plan: by key, row by row. test/storage/plans.test.ts reads what comes out.
// No pruning of partitions while a statement runs: PostgreSQL 18 then uses memory that it has freed, and the whole
// server restarts, when rows that a statement locks were changed a moment before. It costs an index probe a partition.
const pinned = [
  '-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off',
  '-c enable_partition_pruning=off -c jit=off',
].join(' ')
// One process each: counting a large partition with all cores is felt by every task.
const free = '-c plan_cache_mode=force_custom_plan -c jit=off -c max_parallel_workers_per_gather=0'

// Also a pinned plan reads a partition whole that was analyzed while it was empty. As a rule autovacuum ends that a
// minute after rows have come, since plans are made anew then; where it does not, they end with their connection.
const maxLifetimeSeconds = 600

const types = new pg.TypeOverrides()
types.setTypeParser(114, (text: string) => text) // json stays text
types.setTypeParser(2951, uuidArray)
types.setTypeParser(20, Number) // bigint: counts and packet numbers, far below 2^53

/** `{id,id}`; ids need no quotes, so nothing has to be parsed letter by letter, as the driver does. */
function uuidArray(text: string): string[] {
  return text === '{}' ? [] : text.slice(1, -1).split(',')
}

/** Tells who listens of each statement before it is sent and when it is answered: its name, or `commit`. */
const statementTrace = tracingChannel<unknown, { name: string }>('millrace.statement')

/** Connects lazily; survives restarts of the server; every error comes out as one of the domain's. */
export function openDatabase(url: string, options: DatabaseOptions): Database {
  const { isListenedTo = () => false } = options
  const pool = new pg.Pool({
    ...clientConfig(url, options),
    max: options.connections,
    idleTimeoutMillis: 30_000,
    maxLifetimeSeconds,
  })
  pool.on('error', () => {}) // an idle connection was lost; the next query opens another
  pool.on('connect', (client) => client.on('error', () => {}))

  return {
    run: (statement, values) => repeat(() => once(statement, values)),
    transaction,
    pool: () => ({ open: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    close: () => pool.end(),
  }

  async function once<R extends Row>(statement: Statement, values: readonly unknown[] = []): Promise<R[]> {
    return withClient((client) => rowsOf<R>(client, variantOf(statement, isListenedTo), values))
  }

  async function transaction<T>(work: (run: Run) => Promise<T>): Promise<T> {
    return repeat(() =>
      withClient(async (client) => {
        await client.query('begin')
        const value = await work((statement, values = []) =>
          rowsOf(client, variantOf(statement, isListenedTo), values),
        )
        await statementTrace.tracePromise(() => client.query('commit'), { name: 'commit' })
        return value
      }),
    )
  }

  /** A client that failed is destroyed: what it was doing, or whether its link is open, is not known. */
  async function withClient<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    let client: pg.PoolClient
    try {
      client = await pool.connect()
    } catch (error) {
      throw translate(error)
    }
    try {
      const value = await work(client)
      client.release()
      return value
    } catch (error) {
      client.release(true)
      throw translate(error)
    }
  }
}

/** A transaction whose client falls silent for this long is given up by the server: its link is half-open, and it holds locks. */
const silenceMs = 10_000

/** One client outside any pool, with the same settings: for locks and notifications. */
export function clientConfig(
  url: string,
  { statementTimeoutMs, plans }: Pick<DatabaseOptions, 'statementTimeoutMs' | 'plans'>,
) {
  const own = `-c search_path=millrace ${plans === 'moves' ? pinned : free}`
  const { address, options } = withoutOptions(url)
  return {
    connectionString: address,
    application_name: 'millrace',
    options: options ? `${options} ${own}` : own,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
    connectionTimeoutMillis: 5_000,
    query_timeout: statementTimeoutMs + 1_000,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: silenceMs,
    types,
  } satisfies pg.ClientConfig
}

/** What an address says overrides what the driver is told, so options in it come out, to stand before ours: the last one counts. */
function withoutOptions(url: string): { address: string; options: string | null } {
  const parsed = URL.parse(url)
  const options = parsed?.searchParams.get('options') ?? null
  if (!parsed || options === null) return { address: url, options }
  parsed.searchParams.delete('options')
  return { address: parsed.href, options }
}

async function rowsOf<R extends Row>(
  client: pg.ClientBase,
  { name, text }: Statement,
  values: readonly unknown[],
) {
  const query = { name, text, values: [...values], rowMode: 'array' } as const
  const result = await statementTrace.tracePromise(() => client.query<R>(query), { name })
  return result.rows
}

const conflictTries = 20

/** Deadlocks and serialization conflicts roll everything back, so trying again is safe and usually enough. */
async function repeat<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (tries === conflictTries || !isConflict(error)) throw error
    }
  }
}

function isConflict(error: unknown): boolean {
  const code = sqlState(error)
  return code === '40P01' || code === '40001'
}

function sqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined
}

/**
 * What an error of the driver means to callers, by SQLSTATE class (PostgreSQL's appendix A): 22 bad data, 23 a
 * constraint and 54 too complex are the value's fault; connection (08), resources (53), operator (57), system (58),
 * read-only after a failover (25006), tables that are not there yet (42P01) and errors without a code are an outage.
 * The rest is a bug and passes unchanged.
 */
export function translate(error: unknown): unknown {
  if (error instanceof StoreUnavailableError || error instanceof StoreRefusedError) return error
  if (!(error instanceof Error)) return error
  const code = sqlState(error)
  if (code === undefined) return isOutage(error) ? new StoreUnavailableError(error) : error
  if (/^(22|23|54)/.test(code)) return new StoreRefusedError(error)
  if (/^(08|53|57|58|28|3D|25006|42P01|55P03|XX001)/.test(code)) return new StoreUnavailableError(error)
  return error
}

function isOutage(error: Error): boolean {
  if (error instanceof TypeError || error instanceof RangeError) return false // Node gives these codes, too
  return 'code' in error || /timeout|terminat|connection|closed|ended|not queryable/i.test(error.message)
}
