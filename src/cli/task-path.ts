import { UsageError } from './exit-code.ts'

/** Where a task is. Only the server knows which ids are well-formed; an empty one would ask for the list. */
export function taskPath(id: string, verb?: 'cancel' | 'retry' | 'why'): string {
  if (id.trim() === '') throw new UsageError('the id of a task is empty')
  return `/tasks/${encodeURIComponent(id.trim())}${verb ? `/${verb}` : ''}`
}
