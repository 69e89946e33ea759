import type { Session, SessionOwner, SessionStore } from '../domain/access.ts'
import type { Database } from './connection.ts'

/** Browsers that have signed in. */
export function sessionStore(database: Database): SessionStore {
  return {
    open: (digest, owner, lastsMs) => open(database, { digest, owner, lastsMs }),
    find: (digests) => find(database, digests),
    close: (digest) => close(database, digest),
  }
}

// People sign in rarely: whoever does takes away what has ended.
const openSession = {
  name: 'sessions.open',
  text: `
  with ended as (delete from sessions where expires_at < now())
  insert into sessions (digest, key_id, proof, expires_at)
  values ($1, $2, $3, now() + $4::float8 * interval '1 millisecond')
      on conflict (digest) do nothing`,
}

type Opening = { digest: Buffer; owner: SessionOwner; lastsMs: number }

async function open({ run }: Database, { digest, owner, lastsMs }: Opening): Promise<void> {
  await run(openSession, [digest, owner.keyId, owner.proof, lastsMs])
}

const findSessions = {
  name: 'sessions.find',
  text: `
  select digest, key_id, proof, (extract(epoch from expires_at - now()) * 1000)::float8
    from sessions
   where digest = any ($1::bytea[])
     and expires_at > now()`,
}

type SessionRow = [digest: Buffer, keyId: string | null, proof: Buffer | null, expiresInMs: number]

async function find({ run }: Database, digests: readonly Buffer[]): Promise<Session[]> {
  const rows = await run<SessionRow>(findSessions, [digests])
  return rows.map(([digest, keyId, proof, expiresInMs]) => ({
    digest,
    expiresInMs,
    ...ownerOf(keyId, proof),
  }))
}

function ownerOf(keyId: string | null, proof: Buffer | null): SessionOwner {
  return keyId === null ? { keyId, proof: proof! } : { keyId, proof: null }
}

const closeSession = { name: 'sessions.close', text: 'delete from sessions where digest = $1' }

async function close({ run }: Database, digest: Buffer): Promise<void> {
  await run(closeSession, [digest])
}
