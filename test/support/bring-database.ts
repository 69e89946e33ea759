import { startEmbedded } from '../../src/embedded/index.ts'
import { makeFolder, removeFolder } from './folder.ts'
import { testSettings } from './postgres.ts'

/** Something brought for the whole run: what the test files find in their environment, and how it ends. */
export type Brought = { env: Record<string, string>; stop(): Promise<void> }

/** A PostgreSQL for the run: the one in `TEST_DATABASE_URL`, or the embedded one in a folder of its own. */
export async function bringDatabase(say: (line: string) => void): Promise<Brought> {
  if (process.env.TEST_DATABASE_URL) {
    say('PostgreSQL: the one in TEST_DATABASE_URL')
    return { env: {}, stop: async () => {} }
  }
  const folder = makeFolder('postgres')
  const server = await startEmbedded({ dataDir: folder, settings: testSettings, report: say })
  say(`PostgreSQL ${server.version}: embedded, in ${folder}`)
  return {
    env: { TEST_DATABASE_URL: server.url },
    stop: async () => {
      await server.stop()
      removeFolder(folder)
    },
  }
}
