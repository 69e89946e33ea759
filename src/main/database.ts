import { setTimeout as sleep } from 'node:timers/promises'
import { HeldError, runningUrl, startEmbedded } from '../embedded/index.ts'
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
  { databaseUrl, dataDir }: Pick<Config, 'databaseUrl' | 'dataDir'>,
  report: (line: string) => void = () => {},
): Promise<DatabaseHandle> {
  if (databaseUrl !== undefined) return { url: databaseUrl, stop: async () => {} }
  for (const untilMs = performance.now() + holderReadyWithinMs; ; await sleep(200)) {
    try {
      return await startEmbedded({ dataDir, report })
    } catch (error) {
      if (!(error instanceof HeldError)) throw error
      const url = await runningUrl(dataDir)
      if (url !== undefined) return { url, stop: async () => {} }
      if (performance.now() > untilMs) throw error
    }
  }
}
