import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/** A new folder that every account of the system can reach. Whoever makes it removes it. */
export function makeFolder(name = 'test'): string {
  const folder = mkdtempSync(join(tmpdir(), `millrace-${name}-`))
  chmodSync(folder, 0o755)
  return folder
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}

/** A new folder for one test, gone when the test is over. */
export function testFolder(t: TestContext, name?: string): string {
  const folder = makeFolder(name)
  t.after(() => removeFolder(folder))
  return folder
}
