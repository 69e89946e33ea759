import type { ApiKey, KeyStore, LiveKey, NewKey, Scope } from '../domain/access.ts'
import { texts } from './arrays.ts'
import type { Database } from './connection.ts'

/** Managed keys. */
export function keyStore(database: Database): KeyStore {
  return {
    list: () => list(database),
    live: () => live(database),
    create: (key) => create(database, key),
    revoke: (id) => revoke(database, id),
    used: (id) => used(database, id),
  }
}

const columns = 'id, name, scopes, created_at, expires_at, last_used_at, revoked_at'

type KeyRow = [
  id: string,
  name: string,
  scopes: Scope[],
  createdAt: Date,
  expiresAt: Date | null,
  lastUsedAt: Date | null,
  revokedAt: Date | null,
]

/** Revoked ones are listed among so many; what can be used is listed always. */
const mostListed = 1_000

const listKeys = {
  name: 'api-keys.list',
  text: `
  select ${columns}
    from api_keys
   order by revoked_at is null desc, created_at desc, id
   limit greatest($1, (select count(*) from api_keys where revoked_at is null))`,
}

async function list({ run }: Database): Promise<ApiKey[]> {
  return (await run<KeyRow>(listKeys, [mostListed])).map(apiKey)
}

const liveKeys = {
  name: 'api-keys.live',
  text: `
  select id, name, scopes, digest, (extract(epoch from expires_at - now()) * 1000)::float8
    from api_keys
   where revoked_at is null
     and (expires_at is null or expires_at > now())`,
}

async function live({ run }: Database): Promise<LiveKey[]> {
  const rows =
    await run<[id: string, name: string, scopes: Scope[], digest: Buffer, expiresInMs: number | null]>(
      liveKeys,
    )
  return rows.map(([id, name, scopes, digest, expiresInMs]) => ({ id, name, scopes, digest, expiresInMs }))
}

// Repeated after a lost answer it finds its own row.
const createKey = {
  name: 'api-keys.create',
  text: `
  insert into api_keys (id, name, scopes, digest, expires_at)
  values ($1, $2, $3::text[], $4, now() + $5::float8 * interval '1 millisecond')
      on conflict (id) do update set id = excluded.id
  returning ${columns}`,
}

async function create({ run }: Database, key: NewKey): Promise<ApiKey> {
  const { id, name, scopes, digest, expiresInMs } = key
  const [row] = await run<KeyRow>(createKey, [id, name, texts(scopes), digest, expiresInMs])
  return apiKey(row!)
}

const revokeKey = {
  name: 'api-keys.revoke',
  text: `
  update api_keys set revoked_at = coalesce(revoked_at, now()) where id = $1 returning ${columns}`,
}

async function revoke({ run }: Database, id: string): Promise<ApiKey | undefined> {
  const [row] = await run<KeyRow>(revokeKey, [id])
  return row && apiKey(row)
}

const noteUse = {
  name: 'api-keys.used',
  text: `
  update api_keys
     set last_used_at = now()
   where id = $1
     and (last_used_at is null or last_used_at < now() - interval '1 minute')`,
}

async function used({ run }: Database, id: string): Promise<void> {
  await run(noteUse, [id])
}

function apiKey([id, name, scopes, createdAt, expiresAt, lastUsedAt, revokedAt]: KeyRow): ApiKey {
  return {
    id,
    name,
    scopes,
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt?.toISOString() ?? null,
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
    revokedAt: revokedAt?.toISOString() ?? null,
  }
}
