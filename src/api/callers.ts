import type { FastifyRequest } from 'fastify'
import {
  type Caller,
  digestOf,
  isSame,
  keyIdIn,
  type LiveKey,
  proofOf,
  type Session,
  scopes,
} from '../domain/access.ts'
import type { UseCases } from '../usecases/index.ts'
import { Problem } from './problem.ts'
import { sessionIn } from './session-cookie.ts'

/** Somebody known, nobody, or the Problem of somebody who shows what is not known. */
export type Calling = Caller | Problem | undefined

export type Callers = {
  /** Whether the settings want keys. Without, everybody may do everything. */
  areWanted: boolean
  /** Who sends this. Answers at once for keys that were seen a moment ago. */
  of(request: FastifyRequest): Calling | Promise<Calling>
  /** Whose a key is, and what opens a session with it. */
  ofKey(key: string): Promise<{ caller: Caller; owner: { keyId: string } | { key: string } } | undefined>
}

type Known = Pick<UseCases, 'findKey' | 'findSession'>

/** Tells callers by their key, or by the session that was opened with one. */
export function callersOf(apiKeys: readonly string[], { findKey, findSession }: Known): Callers {
  const settled = apiKeys.map((key, at) => ({
    key,
    digest: digestOf(key),
    caller: { name: `API_KEYS #${at + 1}`, scopes, keyId: null } satisfies Caller,
  }))
  return {
    areWanted: apiKeys.length > 0,
    of({ headers }) {
      const { authorization, cookie } = headers
      if (authorization !== undefined) return ofAuthorization(authorization)
      const token = cookie === undefined ? undefined : sessionIn(cookie)
      return token === undefined ? undefined : ofSession(token)
    },
    async ofKey(key) {
      const caller = ofSettings(key) ?? (await ofManaged(key))
      if (!caller) return undefined
      return { caller, owner: caller.keyId === null ? { key } : { keyId: caller.keyId } }
    },
  }

  function ofAuthorization(authorization: string): Calling | Promise<Calling> {
    const key = /^Bearer +(\S+) *$/i.exec(authorization)?.[1]
    if (key === undefined) return unknownKey()
    const caller = ofSettings(key) ?? ofManaged(key)
    return caller instanceof Promise ? caller.then(orUnknown) : orUnknown(caller)
  }

  /** All digests are compared, whichever fits, so that the time tells nothing. */
  function ofSettings(key: string): Caller | undefined {
    const digest = digestOf(key)
    let found: Caller | undefined
    for (const known of settled) if (isSame(known.digest, digest)) found = known.caller
    return found
  }

  function ofManaged(key: string): Caller | undefined | Promise<Caller | undefined> {
    const id = keyIdIn(key)
    if (id === undefined) return undefined
    const known = findKey(id)
    return known instanceof Promise ? known.then((live) => matching(live, key)) : matching(known, key)
  }

  async function ofSession(token: string): Promise<Calling> {
    const session = await findSession(token)
    return session && ofOwner(session, token)
  }

  async function ofOwner({ keyId, proof }: Session, token: string): Promise<Caller | undefined> {
    if (keyId === null) return settled.find(({ key }) => isSame(proofOf(token, key), proof))?.caller
    const live = await findKey(keyId)
    return live && callerOf(live)
  }
}

function matching(live: LiveKey | undefined, key: string): Caller | undefined {
  return live && isSame(live.digest, digestOf(key)) ? callerOf(live) : undefined
}

function callerOf({ id, name, scopes }: LiveKey): Caller {
  return { name, scopes, keyId: id }
}

const orUnknown = (caller: Caller | undefined): Calling => caller ?? unknownKey()

function unknownKey(): Problem {
  return unauthorized('the API key is not a known one, or it has been revoked or has expired')
}

export function unauthorized(detail: string): Problem {
  return new Problem('unauthorized', detail, { headers: { 'www-authenticate': 'Bearer' } })
}
