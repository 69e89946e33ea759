import { Type } from 'typebox'
import { isUuid, lowestIdAt } from '../domain/id.ts'
import type { TaskFilter, TaskScope } from '../domain/ports.ts'
import { limits } from '../domain/submission.ts'
import { type Status, statuses } from '../domain/task.ts'
import { readCursor, readTaskCursor } from './cursor.ts'
import { readInstant } from './instant.ts'
import { invalid } from './problem.ts'
import { openQuery, type Parameter, type Query } from './query.ts'

const mostRows = 200
export const usualRows = 50
const namePattern = new RegExp(`^[A-Za-z0-9._:/-]{1,${limits.nameLength}}$`)
const typePattern = /^[A-Za-z0-9._:/-]*[A-Za-z0-9._:/*-]$/

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

function uuid(description: string): Parameter<string> {
  return {
    schema: Type.String({ format: 'uuid', description }),
    read: (text) => (isUuid(text) ? text.toLowerCase() : undefined),
    rule: 'must be a UUID',
  }
}

const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const longestAgeMs = 36_500 * unitMs.d

type Age = { youngerThanMs: number } | { olderThanMs: number }

function readAge(text: string): Age | undefined {
  const [, sign, amount, unit] = /^([<>])(\d{1,9})([smhd])$/.exec(text) ?? []
  if (amount === undefined) return undefined
  const ms = Number(amount) * unitMs[unit as keyof typeof unitMs]
  if (ms > longestAgeMs) return undefined
  return sign === '<' ? { youngerThanMs: ms } : { olderThanMs: ms }
}

export function instantParameter(description: string): Parameter<string> {
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

/** For what is not a list of tasks: one type, and not those that begin alike. */
export const oneTypeParameter = name('Only tasks of this type.')

/** What says which tasks are meant, in lists and in what is done to many. */
export const scopeParameters = {
  status: list(statuses, 'One status or several, with commas between them.') satisfies Parameter<Status[]>,
  type: {
    schema: Type.String({
      description: 'Only tasks of this type; with a `*` at its end, of all types that begin so.',
      examples: ['email.send', 'email.*'],
    }),
    read: (text: string) => (typePattern.test(text) && text.length <= limits.nameLength ? text : undefined),
    rule: `must be 1 to ${limits.nameLength} characters out of A-Z a-z 0-9 . _ : / -, with a * at its end for all that begin so`,
  },
  queue: name('Only tasks of this queue.'),
  key: {
    schema: Type.String({
      description: 'Only tasks of this key.',
      minLength: 1,
      maxLength: limits.keyLength,
    }),
    read: (text: string) =>
      text !== '' && text.length <= limits.keyLength && !text.includes('\0') ? text : undefined,
    rule: `must be 1 to ${limits.keyLength} characters`,
  },
  batchId: uuid('Only tasks of this batch.'),
  workerId: uuid('Only tasks whose latest attempt this worker runs or ran.'),
  fingerprint: {
    schema: Type.String({
      description: 'Only failed tasks whose failures are alike.',
      pattern: '^[0-9a-f]{16}$',
    }),
    read: (text: string) => (/^[0-9a-f]{16}$/.test(text) ? text : undefined),
    rule: 'must be a fingerprint, 16 of 0-9 a-f',
  },
  age: {
    schema: Type.String({
      description:
        'Only tasks that were created less (`<1h`) or more (`>1h`) than so long ago; s, m, h or d.',
      examples: ['<1h'],
    }),
    read: readAge,
    rule: 'must be < or >, a whole number and s, m, h or d, such as <1h',
  },
  createdAfter: instantParameter('Only tasks created at this RFC 3339 instant or later.'),
  createdBefore: instantParameter('Only tasks created before this RFC 3339 instant.'),
}

export const listParameters = {
  ...scopeParameters,
  ids: {
    schema: Type.String({
      description: `Only these tasks, ${mostRows} at most, with commas between them; all on one page.`,
    }),
    read: readIds,
    rule: `must be 1 to ${mostRows} UUIDs with commas between them`,
  },
  limit: limitParameter,
  at: instantParameter(
    'Begins at this RFC 3339 instant, as a cursor does: `page.prev` leads to what is newer.',
  ),
  cursor: {
    schema: Type.String({ description: 'The `next` or the `prev` of a page.' }),
    read: readTaskCursor,
    rule: 'must be the `next` or the `prev` of a page',
  },
  include: list(
    ['payload', 'result'],
    'What to add to the rows: `payload`, `result`, or both with a comma. A page with them may end before `limit`.',
  ),
}

function readIds(text: string): string[] | undefined {
  const ids = text.split(',')
  return ids.length <= mostRows && ids.every(isUuid)
    ? [...new Set(ids.map((id) => id.toLowerCase()))]
    : undefined
}

/** The filter in the query of GET /tasks. Throws Problem. */
export function readTaskFilter(given: unknown): TaskFilter {
  const query = openQuery(given, Object.keys(listParameters))
  const include = query.take('include', listParameters.include) ?? []
  const ids = query.take('ids', listParameters.ids)
  const limit = query.take('limit', listParameters.limit)
  const at = query.take('at', listParameters.at)
  const cursor = query.take('cursor', listParameters.cursor)
  const filter: TaskFilter = {
    ...readScope(query),
    ...(at === undefined ? {} : { before: lowestIdAt(Date.parse(at) + 1) }),
    ...cursor,
    limit: limit ?? usualRows,
    include: { payload: include.includes('payload'), result: include.includes('result') },
  }
  if (ids) filter.ids = ids
  query.close()
  if (ids && (limit ?? at ?? cursor) !== undefined)
    throw invalid([{ parameter: 'ids', detail: 'are all on one page; leave out limit, at and cursor' }])
  if (at !== undefined && cursor !== undefined)
    throw invalid([{ parameter: 'at', detail: 'is where to begin, and so is cursor; leave one of them out' }])
  return filter
}

/** What a query says of which tasks are meant. */
export function readScope(query: Query): TaskScope {
  const scope: TaskScope = { ...query.take('age', scopeParameters.age) }
  const status = query.take('status', scopeParameters.status)
  if (status) scope.status = status
  for (const field of scopeTexts) {
    const value = query.take(field, scopeParameters[field])
    if (value !== undefined) scope[field] = value
  }
  return scope
}

const scopeTexts = [
  'type',
  'queue',
  'key',
  'batchId',
  'workerId',
  'fingerprint',
  'createdAfter',
  'createdBefore',
] as const
