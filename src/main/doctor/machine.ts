import { constants } from 'node:fs'
import { access, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Config } from '../../runtime/config.ts'
import { type Finding, fail, messageOf, ok, warn } from './finding.ts'

const gibibyte = 1024 ** 3
const littleBytes = 2 * gibibyte
const tooLittleBytes = gibibyte / 4

/** Node.js, the data directory and its disk. */
export async function* machineFindings({ dataDir, databaseUrl }: Config): AsyncGenerator<Finding> {
  yield ok('node', `Node.js ${process.versions.node}`)
  if (databaseUrl !== undefined) return
  yield await writable(dataDir)
  yield await roomy(dataDir)
}

async function writable(dataDir: string): Promise<Finding> {
  try {
    await access(await existing(dataDir), constants.W_OK | constants.X_OK)
    return ok('data directory', dataDir)
  } catch (error) {
    return fail('data directory', messageOf(error), 'set DATA_DIR to a folder that this user may write')
  }
}

async function roomy(dataDir: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(await existing(dataDir))
  const words = `${((bavail * bsize) / gibibyte).toFixed(1)} GiB free`
  const advice = 'free some space, or set DATA_DIR to a larger disk'
  if (bavail * bsize < tooLittleBytes) return fail('disk', words, advice)
  return bavail * bsize < littleBytes ? warn('disk', words, advice) : ok('disk', words)
}

/** The folder itself, or the one in which it will be made. */
async function existing(folder: string): Promise<string> {
  const isThere = await access(folder).then(
    () => true,
    () => false,
  )
  return isThere || dirname(folder) === folder ? folder : existing(dirname(folder))
}
