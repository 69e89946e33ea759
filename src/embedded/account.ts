import { readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { EmbeddedError } from './errors.ts'

/** Another account of this system, to run PostgreSQL as. */
export type Account = { name: string; uid: number; gid: number }

/**
 * PostgreSQL refuses to run as root, so then it runs as the account that its files or the checkout belong to, as
 * `postgres`, as `nobody`, or as any other. Undefined for everybody but root: it runs as who we are.
 */
export function accountFor(dataDir: string): Account | undefined {
  if (process.getuid?.() !== 0) return undefined
  const accounts = unprivilegedAccounts()
  const owners = [ownerOf(join(dataDir, 'postgres')), ownerOf(dirname(dataDir))]
  const account =
    owners.map((uid) => accounts.find((each) => each.uid === uid)).find((each) => each !== undefined) ??
    accounts.find(({ name }) => name === 'postgres') ??
    accounts.find(({ name }) => name === 'nobody') ??
    accounts[0]
  if (account) return account
  throw new EmbeddedError(
    'PostgreSQL does not run as root and this system has no other account: add one, or set DATABASE_URL to use a PostgreSQL of your own',
  )
}

function unprivilegedAccounts(): Account[] {
  return readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter(({ name, uid, gid }) => /^[^#]+$/.test(name) && uid > 0 && gid > 0)
}

function ownerOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.uid
}
