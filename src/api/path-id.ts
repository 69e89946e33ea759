import { isUuid } from '../domain/id.ts'
import { invalid, Problem } from './problem.ts'

/** The id in a path below `parent`, as the database spells it. */
export function readPathId(id: string, parent: string): string {
  if (id === '') throw new Problem('route-not-found', `did you mean ${parent}?`)
  if (!isUuid(id)) throw invalid([{ parameter: 'id', detail: 'must be a UUID' }])
  return id.toLowerCase()
}
