import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query'
import { noticeRefusal } from './session.ts'

/** What was read stays this long as good as new. */
const freshMs = 2_000

export const queryClient = new QueryClient({
  queryCache: new QueryCache({ onError: noticeRefusal }),
  mutationCache: new MutationCache({ onError: noticeRefusal }),
  // The SDK has its own second try.
  defaultOptions: { queries: { staleTime: freshMs, retry: false }, mutations: { retry: false } },
})
