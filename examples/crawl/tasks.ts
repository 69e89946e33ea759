import { defineTask, NonRetryableError } from 'millrace'
import { createClient } from 'millrace/client'
import { z } from 'zod'
import { crawl } from './crawl.ts'

const mostLinks = 100

/**
 * Reads a page and submits those it links to on the same host. How many pages of a host are read at once, and how often, is
 * not this handler's affair: the queue has limits for each key, and the key is the host.
 */
export const crawlPage = defineTask({
  type: 'crawl.page',
  input: z.object({ url: z.url(), depth: z.number().int() }),
  timeoutMs: 30_000,
  async run({ url, depth }, { signal }) {
    const response = await fetch(url, { signal })
    if (response.status === 404) throw new NonRetryableError('there is no such page')
    if (!response.ok) throw new Error(`the host answered ${response.status}`)
    const html = await response.text()
    const links = depth > 0 ? linksIn(html, url) : []
    const millrace = createClient({ url: process.env.MILLRACE_URL ?? 'http://127.0.0.1:8000' })
    await Promise.all(links.map((link) => crawl(millrace, link, depth - 1)))
    return { title: html.match(/<title>(.*?)<\/title>/)?.[1] ?? '', links: links.length }
  },
})

function linksIn(html: string, base: string): string[] {
  const found = Array.from(html.matchAll(/<a [^>]*href="([^"#]+)"/g), ([, href]) => URL.parse(href!, base))
  const near = found.filter((link) => link?.host === new URL(base).host).map((link) => link!.href)
  return [...new Set(near)].slice(0, mostLinks)
}
