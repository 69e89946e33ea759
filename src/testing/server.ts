import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbedded } from '../embedded/index.ts'
import type { Service } from '../runtime/service.ts'

/** The server ends with this process, and what it holds is thrown away: it need not wait for the disk. */
const hasty = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }

/** A PostgreSQL for one test run, in a folder of the system's temporary ones, gone when it is stopped. */
export async function startThrowaway(): Promise<Service & { url: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-testing-'))
  chmodSync(folder, 0o755) // as root, the server runs under another account
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  try {
    const server = await startEmbedded({ dataDir: folder, settings: hasty })
    return { name: 'embedded PostgreSQL', url: server.url, stop: () => server.stop().finally(remove) }
  } catch (error) {
    remove()
    throw error
  }
}
