import { isUuid } from '../domain/id.ts'
import { invalid, Problem } from './problem.ts'

/** The id in a path, as the database spells it. Throws Problem. */
export function readId(id: string): string {
  if (id === '') throw new Problem('route-not-found', 'did you mean /tasks?')
  if (!isUuid(id)) throw invalid([{ parameter: 'id', detail: 'must be a UUID' }])
  return id.toLowerCase()
}
