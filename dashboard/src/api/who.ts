import { useQuery } from '@tanstack/react-query'
import type { Scope, Who } from '../../../src/client/index.ts'
import { api } from './client.ts'
import { queryClient } from './query-client.ts'
import { setKeyWanted } from './session.ts'

const whoQuery = { queryKey: ['who'], queryFn: () => api().whoami(), staleTime: Number.POSITIVE_INFINITY }

/** Who has signed in; undefined until it is known. */
export function useWho(): Who | undefined {
  return useQuery(whoQuery).data
}

/** Whether the key that somebody has signed in with is good for it. What is not is not offered. */
export function useMay(scope: Scope): boolean {
  const who = useWho()
  if (!who?.authRequired) return true
  return who.key?.scopes.some((given) => given === scope || given === 'admin') ?? false
}

/** Asks before anything else whether somebody has to sign in, and answers whether nobody has. */
export async function findOutWho(): Promise<boolean> {
  const who = await queryClient.fetchQuery(whoQuery).catch(() => undefined)
  const isKeyWanted = who?.authRequired === true && who.key === null
  setKeyWanted(isKeyWanted)
  return !isKeyWanted
}
