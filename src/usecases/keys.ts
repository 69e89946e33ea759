import { type ApiKey, type KeyStore, newKey, type Scope } from '../domain/access.ts'
import { TaskError } from '../domain/errors.ts'
import type { KeyBook } from './key-book.ts'

export type KeyWish = { name: string; scopes: readonly Scope[]; expiresInMs: number | null }

export type KeyUseCases = {
  findKey: KeyBook['find']
  listKeys(): Promise<ApiKey[]>
  /** `key` is the secret, which nobody can tell again. */
  createKey(wish: KeyWish): Promise<ApiKey & { key: string }>
  /** From now on this process refuses it, and the others within seconds. */
  revokeKey(id: string): Promise<ApiKey>
}

/** Making, listing and revoking keys. */
export function managingKeys({
  keys,
  book,
}: {
  keys: Pick<KeyStore, 'list' | 'create' | 'revoke'>
  book: KeyBook
}): KeyUseCases {
  return {
    findKey: book.find,
    listKeys: keys.list,
    async createKey(wish) {
      const { id, key, digest } = newKey()
      return { ...(await keys.create({ id, digest, ...wish })), key }
    },
    async revokeKey(id) {
      const revoked = await keys.revoke(id)
      book.forget()
      if (!revoked) throw new TaskError('key-not-found', `there is no key ${id}; GET /keys lists them`)
      return revoked
    },
  }
}
