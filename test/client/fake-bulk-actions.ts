import type { FakeTask, Seen } from './fake-millrace.ts'

const from: Record<string, string[]> = {
  cancel: ['scheduled', 'pending', 'processing'],
  retry: ['failed', 'canceled'],
  delete: ['completed', 'failed', 'canceled'],
}
const to: Record<string, string> = { cancel: '"canceled"', retry: '"pending"' }

type Action = { id: string; action: string; status: string; matched: number; done: number; skipped: number }

/** Bulk actions in memory: counted when they are looked at for the first time, and done at the look after the start. */
export function fakeBulkActions(tasks: Map<string, FakeTask>) {
  const actions = new Map<string, Action & { ids: string[] }>()

  return ({ method, path, body }: Seen): { status: number; text: string } => {
    const [, , id, verb] = path.split('/')
    if (path === '/bulk-actions' && method === 'POST') return { status: 201, text: create(body) }
    const action = actions.get(id!)!
    if (verb === 'start') action.status = 'running'
    else if (verb === 'abort') action.status = 'aborted'
    else if (action.status === 'counting') action.status = 'ready'
    else if (action.status === 'running') work(action)
    return { status: 200, text: textOf(action) }
  }

  function create(body: string): string {
    const { action, filter } = JSON.parse(body)
    const statuses: string[] = filter.status?.split(',') ?? from[action]
    const ids = [...tasks.keys()].filter((id) => {
      return statuses.includes(JSON.parse(tasks.get(id)!.status!)) && (filter.ids?.includes(id) ?? true)
    })
    const id = `0199f000-0000-7000-b000-${(actions.size + 1).toString(16).padStart(12, '0')}`
    actions.set(id, { ...{ id, action, status: 'counting', ids, matched: ids.length }, done: 0, skipped: 0 })
    return textOf(actions.get(id)!)
  }

  function work(action: Action & { ids: string[] }) {
    for (const id of action.ids) {
      const task = tasks.get(id)!
      const fits = from[action.action]!.includes(JSON.parse(task.status!))
      if (fits) action.done++
      else action.skipped++
      if (fits && action.action === 'delete') tasks.delete(id)
      else if (fits) task.status = to[action.action]!
    }
    action.status = 'done'
  }
}

function textOf({ ids: _ids, ...action }: Action & { ids: string[] }): string {
  return JSON.stringify({ ...action, filter: {}, error: null })
}
