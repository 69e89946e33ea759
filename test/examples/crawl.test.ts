import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { beGentle, crawl } from '../../examples/crawl/crawl.ts'
import { serviceFor, systemWith } from './system.ts'

const pages: Record<string, string> = {
  '/': '<title>start</title><a href="/a">a</a> <a href="b">b</a> <a href="https://elsewhere.example/">no</a>',
  '/a': '<title>a</title><a href="/">back</a> <a href="/b#part">b</a>',
  '/b': '<title>b</title>',
}

async function site(t: TestContext) {
  const seen: string[] = []
  const load = { now: 0, most: 0 }
  const url = await serviceFor(t, async (_, response, request) => {
    seen.push(request.url ?? '')
    load.most = Math.max(load.most, ++load.now)
    await sleep(20)
    load.now--
    const page = pages[request.url ?? '']
    response.writeHead(page === undefined ? 404 : 200).end(page)
  })
  return { url, seen, load }
}

test('a crawl reads each page of a depth once, and of each host one at a time', async (t) => {
  const sites = [await site(t), await site(t)]
  const millrace = await systemWith(t, 'examples/crawl/tasks.ts', { queues: ['crawl'] })
  process.env.MILLRACE_URL = millrace.url
  await beGentle(millrace)
  const starts = await Promise.all(sites.map(({ url }) => crawl(millrace, `${url}/`, 1)))
  await millrace.drain()

  for (const { seen, load } of sites) {
    assert.deepEqual([...seen].sort(), ['/', '/a', '/b'])
    assert.equal(load.most, 1)
  }
  assert.deepEqual((await millrace.get(starts[0]!)).result, { title: 'start', links: 2 })
})
