import { createClient, type Millrace } from '../../../src/client/index.ts'

/** Once more is enough: the page asks again by itself, and somebody waits for an answer. */
const millrace = createClient({ url: location.origin, retries: 1 })

/** The API that this page came from, by the calls of the SDK. Who has signed in is known by a cookie. */
export function api(): Millrace {
  return millrace
}
