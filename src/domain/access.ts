import { hash, randomBytes, timingSafeEqual } from 'node:crypto'

/** What a key may be good for; docs/security.md says what belongs to each. `admin` includes the others. */
export const scopes = ['submit', 'read', 'cancel', 'work', 'admin'] as const
export type Scope = (typeof scopes)[number]

/** Whether somebody with these scopes may do what takes `needed`. */
export function permits(given: readonly Scope[], needed: Scope): boolean {
  return given.includes(needed) || given.includes('admin')
}

/** Who calls: one of the keys of the settings, or a managed one. */
export type Caller = { name: string; scopes: readonly Scope[]; keyId: string | null }

/** A managed key as people see it; the secret itself is kept nowhere. */
export type ApiKey = {
  id: string
  name: string
  scopes: Scope[]
  createdAt: string
  expiresAt: string | null
  /** Exact to a minute. */
  lastUsedAt: string | null
  revokedAt: string | null
}

/** A managed key that is neither revoked nor expired. */
export type LiveKey = {
  id: string
  name: string
  scopes: Scope[]
  digest: Buffer
  expiresInMs: number | null
}

export type NewKey = {
  id: string
  name: string
  scopes: readonly Scope[]
  digest: Buffer
  expiresInMs: number | null
}

/** Managed keys. */
export type KeyStore = {
  /** Newest first. */
  list(): Promise<ApiKey[]>
  live(): Promise<LiveKey[]>
  create(key: NewKey): Promise<ApiKey>
  /** Undefined if there is none. Twice is no different. */
  revoke(id: string): Promise<ApiKey | undefined>
  /** Notes that a key is used, once a minute at most. */
  used(id: string): Promise<void>
}

/** Whose a session is: a managed key's, or that key's of the settings to which the proof belongs. */
export type SessionOwner = { keyId: string; proof: null } | { keyId: null; proof: Buffer }
export type Session = SessionOwner & { digest: Buffer; expiresInMs: number }

/** Browsers that have signed in. */
export type SessionStore = {
  open(digest: Buffer, owner: SessionOwner, lastsMs: number): Promise<void>
  /** Those of these that last. */
  find(digests: readonly Buffer[]): Promise<Session[]>
  close(digest: Buffer): Promise<void>
}

const idBytes = 8
const secretBytes = 32
const form = /^mr_([0-9a-f]{16})_[A-Za-z0-9_-]{43}$/

/** A new key: 256 bits that nobody guesses, behind a prefix for people and scanners and the id by which it is found. */
export function newKey(): { id: string; key: string; digest: Buffer } {
  const id = randomBytes(idBytes).toString('hex')
  const key = `mr_${id}_${randomBytes(secretBytes).toString('base64url')}`
  return { id, key, digest: digestOf(key) }
}

/** The id in a managed key; undefined where it is none. */
export function keyIdIn(key: string): string | undefined {
  return form.exec(key)?.[1]
}

/** What a browser that has signed in shows; only its digest is stored. */
export function newToken(): string {
  return randomBytes(secretBytes).toString('base64url')
}

/** SHA-256 is enough for what is random and long; a slow hash is for what people choose. */
export function digestOf(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}

/**
 * Ties a session to a key of the settings, which people may have chosen. Nobody who sees it can try out keys, since
 * the token in it is stored nowhere.
 */
export function proofOf(token: string, key: string): Buffer {
  return digestOf(`${token} ${key}`)
}

/** Takes the same time whatever differs. */
export function isSame(digest: Buffer, other: Buffer): boolean {
  return digest.length === other.length && timingSafeEqual(digest, other)
}
