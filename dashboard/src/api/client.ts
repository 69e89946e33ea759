import { createClient, type Millrace } from '../../../src/client/index.ts'

/** Once more is enough: the page asks again by itself, and somebody waits for an answer. */
const retries = 1

let current = createClient({ url: location.origin, retries })

/** The API that this page came from, by the calls of the SDK. */
export function api(): Millrace {
  return current
}

/** From now on calls carry this key. It is kept in memory only, and gone with the tab. */
export function keepKey(apiKey: string | undefined): void {
  current = createClient({ url: location.origin, retries, apiKey })
}
