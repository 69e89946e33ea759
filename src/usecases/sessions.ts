import {
  digestOf,
  newToken,
  proofOf,
  type Session,
  type SessionOwner,
  type SessionStore,
} from '../domain/access.ts'
import type { Gather } from './submit.ts'

/** A working day. */
export const sessionMs = 12 * 3_600_000
/** How long a session is taken for granted: signing out holds everywhere after this. */
const freshMs = 3_000
const mostKept = 1_000

export type SessionUseCases = {
  /** Answers the token. For a key of the settings, that key; for a managed one its id. */
  openSession(owner: { keyId: string } | { key: string }): Promise<string>
  /** Undefined when it has ended or never was. */
  findSession(token: string): Promise<Session | undefined>
  closeSession(token: string): Promise<void>
}

type Kept = { session: Session; untilMs: number }

/** Browsers that sign in, and out. Any api process knows the sessions that another has opened. */
export function signingIn({ sessions, gather }: { sessions: SessionStore; gather: Gather }): SessionUseCases {
  const kept = new Map<string, Kept>()
  // Unknown tokens are looked for together, so that trying them costs the database no more than one statement at a time.
  const find = gather(async (digests: Buffer[]) => {
    const found = new Map((await sessions.find(digests)).map((session) => [nameOf(session.digest), session]))
    return digests.map((digest) => found.get(nameOf(digest)))
  }, {})
  return {
    async openSession(owner) {
      const token = newToken()
      await sessions.open(digestOf(token), ownerOf(owner, token), sessionMs)
      return token
    },
    async findSession(token) {
      const digest = digestOf(token)
      const name = nameOf(digest)
      const nowMs = performance.now()
      const known = kept.get(name)
      if (known && nowMs < known.untilMs) return known.session
      kept.delete(name)
      const session = await find(digest)
      if (!session) return undefined
      if (kept.size >= mostKept) kept.clear()
      kept.set(name, { session, untilMs: nowMs + Math.min(freshMs, session.expiresInMs) })
      return session
    },
    async closeSession(token) {
      const digest = digestOf(token)
      await sessions.close(digest)
      kept.delete(nameOf(digest))
    },
  }
}

const nameOf = (digest: Buffer) => digest.toString('base64')

function ownerOf(owner: { keyId: string } | { key: string }, token: string): SessionOwner {
  return 'keyId' in owner
    ? { keyId: owner.keyId, proof: null }
    : { keyId: null, proof: proofOf(token, owner.key) }
}
