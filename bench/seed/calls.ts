export type PageCall = { page: string; path: string; mostMs: number }

/** How long a page may wait for anything it shows, and for counts. */
const mostMs = 300
const mostCountsMs = 50

type Ask = <Reply>(path: string) => Promise<Reply>
type Ids = { data: { id: string; batchId: string | null }[]; page: { next: string | null } }

/** What the pages of the dashboard ask for, about things that are there. */
export async function pageCalls(ask: Ask): Promise<PageCall[]> {
  const idOf = async (filter: string) => (await ask<Ids>(`/tasks?limit=1&${filter}`)).data[0]?.id
  const before = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString()
  const pages: Record<string, string[]> = {
    Overview: [
      ...['15m', '1h', '24h', '7d'].map((range) => `/stats/history?range=${range}`),
      '/errors?order=most&limit=5',
    ],
    Tasks: await taskCalls(ask, before),
    'Task, pending': ofTask(await idOf('status=pending'), ['', '/why', '/timeline']),
    'Task, failed': ofTask(await idOf('status=failed'), ['', '/why', '/timeline']),
    'Task, days old': ofTask(await idOf(`createdBefore=${before(5)}`), ['', '/why', '/timeline']),
    Errors: ['/errors?limit=50', '/errors?limit=50&order=most', '/errors?limit=50&type=image.resize'],
    Batches: [
      '/batches?limit=50',
      ...(await ask<Ids>('/batches?limit=1')).data.map(({ id }) => `/batches/${id}`),
    ],
    'Bulk actions': ['/bulk-actions'],
    Workers: ['/workers'],
    Schedules: ['/schedules?limit=200'],
    System: ['/system'],
  }
  const counts = ['/stats', '/queues'].map((path) => ({ page: 'Counts', path, mostMs: mostCountsMs }))
  const others = Object.entries(pages).flatMap(([page, paths]) =>
    paths.map((path) => ({ page, path, mostMs })),
  )
  return [...counts, ...others]
}

async function taskCalls(ask: Ask, before: (days: number) => string): Promise<string[]> {
  const first = await ask<Ids>('/tasks?limit=200')
  const batch = (await ask<Ids>('/batches?limit=1')).data[0]?.id
  const errors = await ask<{ data: { fingerprint: string }[] }>('/errors?limit=1')
  const filters = [
    '',
    'status=pending',
    'status=scheduled',
    'status=failed',
    'status=failed,canceled',
    'status=completed',
    'status=failed&age=%3C1h',
    'status=failed&type=image.resize',
    'status=failed&queue=mail&type=email.*',
    'type=report.render',
    'type=email.*',
    'type=nobody',
    'queue=reports&status=failed',
    'key=endpoint-7',
    'key=nobody',
    `createdBefore=${before(5)}`,
    `at=${before(3)}`,
    `status=failed&at=${before(3)}`,
    `cursor=${encodeURIComponent(first.page.next ?? '')}`,
    ...(batch === undefined ? [] : [`batchId=${batch}`, `batchId=${batch}&status=failed`]),
    ...errors.data.map(({ fingerprint }) => `fingerprint=${fingerprint}`),
    `ids=${first.data
      .slice(0, 100)
      .map(({ id }) => id)
      .join()}`,
  ]
  return filters.map((filter) =>
    `/tasks?${filter.startsWith('ids') ? '' : 'limit=200&'}${filter}`.replace(/&$/, ''),
  )
}

function ofTask(id: string | undefined, parts: readonly string[]): string[] {
  return id === undefined ? [] : parts.map((part) => `/tasks/${id}${part}`)
}
