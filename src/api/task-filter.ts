import { Type } from 'typebox'
import { isUuid } from '../domain/id.ts'
import type { TaskFilter } from '../domain/ports.ts'
import { limits } from '../domain/submission.ts'
import { type Status, statuses } from '../domain/task.ts'
import { readCursor } from './cursor.ts'
import { readInstant } from './instant.ts'
import { openQuery, type Parameter } from './query.ts'

const mostRows = 200
export const usualRows = 50
const namePattern = new RegExp(`^[A-Za-z0-9._:/-]{1,${limits.nameLength}}$`)

function list<Word extends string>(words: readonly Word[], description: string): Parameter<Word[]> {
  const isWord = (text: string): text is Word => words.some((word) => word === text)
  return {
    schema: Type.String({ description, examples: [words.slice(0, 2).join(',')] }),
    read: (text) => {
      const parts = text.split(',')
      return parts.every(isWord) ? [...new Set(parts)] : undefined
    },
    rule: `must be one or several of ${words.join(', ')}, with commas between them`,
  }
}

function name(description: string): Parameter<string> {
  return {
    schema: Type.String({ description, pattern: namePattern.source }),
    read: (text) => (namePattern.test(text) ? text : undefined),
    rule: `must be 1 to ${limits.nameLength} characters out of A-Z a-z 0-9 . _ : / -`,
  }
}

function instant(description: string): Parameter<string> {
  return {
    schema: Type.String({ description, format: 'date-time' }),
    // A plus that was not escaped arrives as a space.
    read: (text) => readInstant(text.replace(' ', '+'), 9998),
    rule: 'must be an RFC 3339 instant with its offset, such as 2030-01-31T09:00:00Z',
  }
}

export const limitParameter = {
  schema: Type.Integer({
    minimum: 1,
    maximum: mostRows,
    default: usualRows,
    description: 'Rows of a page at most.',
  }),
  read: (text: string) => (/^\d{1,3}$/.test(text) && +text >= 1 && +text <= mostRows ? +text : undefined),
  rule: `must be a whole number from 1 to ${mostRows}`,
}

export const cursorParameter = {
  schema: Type.String({ description: 'The `next` of the page before.' }),
  read: readCursor,
  rule: 'must be the `next` of a page',
}

export const listParameters = {
  status: list(statuses, 'One status or several, with commas between them.') satisfies Parameter<Status[]>,
  type: name('Only tasks of this type.'),
  queue: name('Only tasks of this queue.'),
  batchId: {
    schema: Type.String({ format: 'uuid', description: 'Only tasks of this batch.' }),
    read: (text: string) => (isUuid(text) ? text.toLowerCase() : undefined),
    rule: 'must be a UUID',
  },
  createdAfter: instant('Only tasks created at this RFC 3339 instant or later.'),
  createdBefore: instant('Only tasks created before this RFC 3339 instant.'),
  limit: limitParameter,
  cursor: cursorParameter,
  include: list(
    ['payload', 'result'],
    'What to add to the rows: `payload`, `result`, or both with a comma. A page with them may end before `limit`.',
  ),
}

/** The filter in the query of GET /tasks. Throws Problem. */
export function readTaskFilter(given: unknown): TaskFilter {
  const query = openQuery(given, Object.keys(listParameters))
  const include = query.take('include', listParameters.include) ?? []
  const filter: TaskFilter = {
    limit: query.take('limit', listParameters.limit) ?? usualRows,
    include: { payload: include.includes('payload'), result: include.includes('result') },
  }
  const status = query.take('status', listParameters.status)
  if (status) filter.status = status
  for (const field of ['type', 'queue', 'batchId', 'createdAfter', 'createdBefore'] as const) {
    const value = query.take(field, listParameters[field])
    if (value !== undefined) filter[field] = value
  }
  const before = query.take('cursor', listParameters.cursor)
  if (before !== undefined) filter.before = before
  query.close()
  return filter
}
