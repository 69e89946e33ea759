import type { Call } from './http.ts'

export type Scope = 'submit' | 'read' | 'cancel' | 'work' | 'admin'

/** Who one is to a server. `key` is null for whoever shows none, or a session that has ended. */
export type Who = {
  key: { name: string; scopes: Scope[] } | null
  /** Whether the server wants keys; without, everybody may do everything. */
  authRequired: boolean
  version: string
}

export type ApiKey = {
  id: string
  name: string
  scopes: Scope[]
  createdAt: string
  expiresAt: string | null
  /** To a minute. */
  lastUsedAt: string | null
  revokedAt: string | null
}

export type KeyWish = { name: string; scopes: readonly Scope[]; expiresInMs?: number }

type Ask = <Body>(call: Call) => Promise<Body>

/** Who one is, and signing a browser in: its cookie then takes the place of `apiKey`. */
export function signingOf(ask: Ask, request: (call: Call) => Promise<unknown>) {
  return {
    whoami: () => ask<Who>({ path: '/whoami', repeatable: true }),
    signIn: (key: string) =>
      ask<Who>({ method: 'POST', path: '/session', body: JSON.stringify({ key }), repeatable: true }),
    signOut: async () => void (await request({ method: 'DELETE', path: '/session', repeatable: true })),
  }
}

/** The keys that were made by the API; all of it takes the scope `admin`. */
export function keysOf(ask: Ask) {
  return {
    list: async () => (await ask<{ data: ApiKey[] }>({ path: '/keys', repeatable: true })).data,
    /** `key` is the secret, which nobody can tell again. */
    create: (wish: KeyWish) =>
      ask<ApiKey & { key: string }>({
        method: 'POST',
        path: '/keys',
        body: JSON.stringify(wish),
        repeatable: false,
      }),
    /** Within seconds nobody takes it any more. */
    revoke: (id: string) =>
      ask<ApiKey>({ method: 'DELETE', path: `/keys/${encodeURIComponent(id)}`, repeatable: true }),
  }
}
