import pg from 'pg'
import type { Cluster } from './cluster.ts'

export type Reply =
  | { kind: 'answer'; rows: Record<string, unknown>[] }
  /** It is ours, and it is starting, recovering or shutting down. */
  | { kind: 'busy' }
  /** Nobody listens there, or it is somebody else's server. */
  | { kind: 'stranger' }

const answerWithinMs = 5_000

/** Asks the cluster's server one thing, on a connection of its own. Its password proves that it is ours. */
export async function askServer(cluster: Cluster, statement: string): Promise<Reply> {
  const client = new pg.Client({
    connectionString: urlOf(cluster, 'postgres'),
    connectionTimeoutMillis: answerWithinMs,
    query_timeout: answerWithinMs,
  })
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query<Record<string, unknown>>(statement)
    return { kind: 'answer', rows }
  } catch (error) {
    return { kind: isBusy(error) ? 'busy' : 'stranger' }
  } finally {
    await client.end().catch(() => {})
  }
}

export function urlOf({ access }: Cluster, database: string): string {
  return `postgresql://${access.user}:${access.password}@127.0.0.1:${access.port}/${database}`
}

/** `cannot_connect_now` and `admin_shutdown`. */
function isBusy(error: unknown): boolean {
  return error instanceof pg.DatabaseError && (error.code === '57P03' || error.code === '57P01')
}
