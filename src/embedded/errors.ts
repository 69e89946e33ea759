/** Why the embedded PostgreSQL cannot be used here: one sentence that says what happened and what to do. */
export class EmbeddedError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'EmbeddedError'
  }
}

/** Another process of Millrace keeps this data directory's server up. */
export class HeldError extends EmbeddedError {}

const elsewhere = 'set DATABASE_URL to use a PostgreSQL of your own'

const known: [RegExp, (dir: string, match: RegExpMatchArray) => string][] = [
  [
    /No space left on device|ENOSPC/,
    (dir) => `the disk that holds ${dir} is full: free some space and start again`,
  ],
  [
    /lock file "postmaster\.pid" already exists[\s\S]*?PID (\d+)/,
    (dir, [, pid]) =>
      `${dir} is in use by process ${pid}: stop it, or, if it is no PostgreSQL, delete ${dir}/postmaster.pid`,
  ],
  [
    /Read-only file system|EROFS/,
    (dir) => `${dir} is on a read-only file system: set DATA_DIR to a folder that can be written`,
  ],
  [
    /Permission denied|wrong ownership|EACCES|EPERM|readonly database|unable to open database file/,
    (dir) =>
      `no permission to use ${dir}: run as the user it belongs to, change its owner, or set DATA_DIR to another folder`,
  ],
  [
    /could not create shared memory|could not create semaphores|could not resize shared memory/,
    () => `the system has no shared memory left for PostgreSQL: allow more of it, or ${elsewhere}`,
  ],
]

/** The sentence for what initdb, postgres or the file system has said about a folder. */
export function explain(dir: string, said: string, logFile?: string): string {
  for (const [pattern, sentence] of known) {
    const match = said.match(pattern)
    if (match) return sentence(dir, match)
  }
  const lines = said.split('\n').filter((line) => line.trim() !== '')
  const reason =
    lines.findLast((line) => /FATAL|PANIC|ERROR|error:/.test(line)) ?? lines.at(-1) ?? 'no reason given'
  const where = logFile ? ` (all of it in ${logFile})` : ''
  return `PostgreSQL did not start in ${dir}: ${reason.trim()}${where}`
}

/** The same for something thrown by the file system; what is no system error passes as it is. */
export function explained(dir: string, error: unknown): unknown {
  if (error instanceof EmbeddedError || !(error instanceof Error)) return error
  const code = 'code' in error ? String(error.code) : ''
  const isSystem = /^(E[A-Z]+|ERR_SQLITE_ERROR)$/.test(code)
  return isSystem ? new EmbeddedError(explain(dir, `${code} ${error.message}`), error) : error
}
