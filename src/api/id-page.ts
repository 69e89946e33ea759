import { Type } from 'typebox'
import { cursorOf } from './cursor.ts'
import { openQuery } from './query.ts'
import { answer, ref } from './schemas.ts'
import { cursorParameter, limitParameter, usualRows } from './task-filter.ts'

/** A page of a list that goes by ids, newest first, and has no filters. */
export type IdPageWish = { limit: number; before?: string }

const parameters = { limit: limitParameter, cursor: cursorParameter }

export function readIdPage(given: unknown): IdPageWish {
  const query = openQuery(given, Object.keys(parameters))
  const limit = query.take('limit', parameters.limit) ?? usualRows
  const before = query.take('cursor', parameters.cursor)
  query.close()
  return before === undefined ? { limit } : { limit, before }
}

/** `next`: the id before which the next page begins. */
export function idPage(data: readonly object[], next: string | null) {
  return { data, page: { next: next === null ? null : cursorOf(next) } }
}

export const idPageQuery = Type.Object({
  limit: Type.Optional(limitParameter.schema),
  cursor: Type.Optional(cursorParameter.schema),
})

/** A page of what the schema of this name describes. */
export function idPageAnswer(description: string, name: string) {
  const next = Type.Union([Type.String(), Type.Null()], { description: 'The cursor of the next page.' })
  return answer(description, Type.Object({ data: Type.Array(ref(name)), page: Type.Object({ next }) }))
}
