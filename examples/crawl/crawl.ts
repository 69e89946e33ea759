import type { Millrace } from 'millrace/client'

const queue = 'crawl'

/** Of each host one page at a time and two in a second; of all together no more than fifty at once. */
export async function beGentle(millrace: Millrace): Promise<void> {
  await millrace.limitQueue(queue, { concurrency: 50, keyConcurrency: 1, keyRatePerSecond: 2 })
}

/** At each depth a page is read once, however many others link to it: its address is the idempotency key. */
export async function crawl(millrace: Millrace, url: string, depth: number): Promise<string> {
  const { host } = new URL(url)
  const options = { queue, key: host, maxAttempts: 5, idempotencyKey: `crawl ${url} ${depth}` }
  return (await millrace.submit('crawl.page', { url, depth }, options)).id
}
