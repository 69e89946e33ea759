import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { EmbeddedError, startEmbedded } from '../embedded/index.ts'
import type { Config } from '../runtime/config.ts'

export type DatabaseHandle = {
  url: string
  /** Stops the server if it is this process that keeps it up. */
  stop(): Promise<void>
}

// A first start of the process that holds the directory makes the cluster before anybody can connect.
const holderReadyWithinMs = 60_000

/**
 * The database of the settings: `databaseUrl`, or the embedded server of `dataDir`. That one is brought up by the
 * process that comes first, and used by those that come while it runs. Fails with EmbeddedError.
 */
export async function databaseUrlOf(
  config: Pick<Config, 'databaseUrl' | 'dataDir'>,
  report?: (line: string) => void,
): Promise<DatabaseHandle> {
  if (config.databaseUrl !== undefined) return { url: config.databaseUrl, stop: async () => {} }
  for (const untilMs = performance.now() + holderReadyWithinMs; ; await sleep(200)) {
    try {
      return await startEmbedded({ dataDir: config.dataDir, ...(report ? { report } : {}) })
    } catch (error) {
      if (!isHeldByAnother(error)) throw error
      const url = await runningEmbeddedUrl(config.dataDir)
      if (url !== undefined) return { url, stop: async () => {} }
      if (performance.now() > untilMs) throw error
    }
  }
}

function isHeldByAnother(error: unknown): boolean {
  return error instanceof EmbeddedError && error.message.includes('is held by another millrace')
}

/** The address of the embedded server of a data directory if it answers, whoever keeps it up. */
export async function runningEmbeddedUrl(dataDir: string): Promise<string | undefined> {
  const url = await notedUrl(join(dataDir, 'postgres', 'millrace.json'))
  if (url === undefined) return undefined
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    return url
  } catch {
    return undefined
  } finally {
    await client.end().catch(() => {})
  }
}

async function notedUrl(file: string): Promise<string | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const { user, password, port }: { user: string; password: string; port: number | null } = JSON.parse(text)
  return port === null ? undefined : `postgresql://${user}:${password}@127.0.0.1:${port}/millrace`
}
