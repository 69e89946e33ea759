import type { Status } from '../../../../../src/client/index.ts'

/** What tasks are found by, under the names of the API, which are those of the page's address too. */
export type Filter = { [name in FilterName]?: string }

export type FilterName =
  | 'status'
  | 'type'
  | 'queue'
  | 'key'
  | 'batchId'
  | 'workerId'
  | 'fingerprint'
  | 'age'
  | 'createdAfter'
  | 'createdBefore'

export type Field = {
  /** The word in the box, which is the flag of the command line too. */
  word: string
  name: FilterName
  about: string
  /** The value as the API takes it, or the sentence that says what it must be. */
  read: (value: string) => { value: string } | { rule: string }
  /** Values that are worth proposing whatever there is. */
  values?: readonly string[]
}

export const statuses: readonly Status[] = [
  'scheduled',
  'pending',
  'processing',
  'completed',
  'failed',
  'canceled',
]
const ages = ['<15m', '<1h', '<24h', '<7d', '>1h', '>24h', '>7d']
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

export const fields: readonly Field[] = [
  {
    word: 'status',
    name: 'status',
    about: 'one or several, with commas',
    read: readStatus,
    values: statuses,
  },
  {
    word: 'type',
    name: 'type',
    about: 'what is to be done; email.* for all that begin so',
    read: matching(/^[A-Za-z0-9._:/-]{0,127}[A-Za-z0-9._:/*-]$/, 'a type, or its beginning and a *'),
  },
  {
    word: 'queue',
    name: 'queue',
    about: 'where it waits',
    read: matching(/^[A-Za-z0-9._:/-]{1,128}$/, 'the name of a queue'),
  },
  { word: 'key', name: 'key', about: 'whom it is for', read: readKey },
  { word: 'age', name: 'age', about: 'created less or more than so long ago', read: readAge, values: ages },
  { word: 'batch', name: 'batchId', about: 'submitted together', read: matching(uuid, 'the id of a batch') },
  {
    word: 'worker',
    name: 'workerId',
    about: 'who runs it or ran it',
    read: matching(uuid, 'the id of a worker'),
  },
  {
    word: 'fingerprint',
    name: 'fingerprint',
    about: 'failures that are alike',
    read: matching(/^[0-9a-f]{16}$/, 'a fingerprint, 16 of 0-9 a-f'),
  },
  { word: 'created-after', name: 'createdAfter', about: 'from this instant on', read: readInstant },
  { word: 'created-before', name: 'createdBefore', about: 'before this instant', read: readInstant },
]

/** The field that a word means: its own, or the name that the API has for it. */
export function fieldOf(word: string): Field | undefined {
  const wanted = word.toLowerCase()
  return fields.find((field) => field.word === wanted || field.name.toLowerCase() === wanted)
}

function matching(pattern: RegExp, what: string): Field['read'] {
  return (value) => (pattern.test(value) ? { value } : { rule: `must be ${what}` })
}

function readStatus(value: string) {
  const parts = [...new Set(value.toLowerCase().split(',').filter(Boolean))]
  const isKnown = (part: string) => statuses.some((status) => status === part)
  return parts.length > 0 && parts.every(isKnown)
    ? { value: parts.join() }
    : { rule: `must be one or several of ${statuses.join(', ')}, with commas` }
}

function readKey(value: string) {
  return value.length <= 255 && !value.includes('\0')
    ? { value }
    : { rule: 'must have 255 characters at most' }
}

function readAge(value: string) {
  return /^[<>]\d{1,9}[smhd]$/.test(value)
    ? { value }
    : { rule: 'must be < or >, a number and s, m, h or d, such as <1h' }
}

const instantShape = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(?:Z|[+-]\d\d:\d\d)?$/i

/** Without an offset it is meant by the reader's clock; the API wants it with one. */
export function readInstant(value: string) {
  const rule = 'must be an instant, such as 2030-01-31 or 2030-01-31T09:00'
  if (!instantShape.test(value)) return { rule }
  const text = value.length === 10 ? `${value}T00:00` : value.replace(' ', 'T')
  const ms = Date.parse(text.toUpperCase())
  return Number.isNaN(ms) ? { rule } : { value: new Date(ms).toISOString() }
}
