import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { after, type TestContext } from 'node:test'
import { startEmbedded } from '../../src/embedded/index.ts'
import { makeFolder, removeFolder, testFolder } from './folder.ts'

/** Tests of what starts and stops need no disk that keeps what it was given. */
export const settings = { fsync: 'off' }

let made: Promise<string> | undefined
after(async () => {
  if (made !== undefined) removeFolder(await made)
})

/** A data directory with a cluster that was stopped. A copy of one, because making one is the dearest part of a start. */
export async function dataFolder(t: TestContext): Promise<string> {
  made ??= makeCluster()
  const copy = join(testFolder(t), 'with spaces')
  execFileSync('cp', ['-a', await made, copy])
  return copy
}

async function makeCluster(): Promise<string> {
  const folder = makeFolder()
  const server = await startEmbedded({ dataDir: folder, settings })
  await server.stop()
  return folder
}
