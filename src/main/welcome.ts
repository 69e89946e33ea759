import type { Config } from '../runtime/config.ts'

/** What a person sees when everything runs: where things are, and a line to copy. */
export function welcome({ apiKeys }: Pick<Config, 'apiKeys'>, url: string): string {
  const base = reachable(url)
  // The line is to work when it is copied, and a key is not to stand in a terminal's history.
  const key = apiKeys.length > 0 ? ` -H "authorization: Bearer $API_KEY"` : ''
  return `  Dashboard  ${base}/dashboard/
  API        ${base}/tasks
  Reference  ${base}/docs
  Counts     ${base}/stats
  Health     ${base}/readyz

Submit a task${key && ' (with one of your API_KEYS in $API_KEY)'}:

  curl -s ${base}/tasks${key} -H 'content-type: application/json' -d '{"payload":"hello"}'

`
}

/** Who listens everywhere is found on this machine at its own address. */
function reachable(url: string): string {
  return url.replace('://0.0.0.0:', '://127.0.0.1:').replace('://[::]:', '://[::1]:')
}
