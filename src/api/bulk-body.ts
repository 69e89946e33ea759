import { Type } from 'typebox'
import { bulkVerbs, type NewBulkAction, statusesOf } from '../domain/bulk-action.ts'
import type { TaskScope } from '../domain/ports.ts'
import { type Fields, readBody, schemaOf } from './body-fields.ts'
import { pointerTo } from './json-envelope.ts'
import { type Fault, invalid } from './problem.ts'
import { openQuery } from './query.ts'
import { listParameters, readScope, scopeParameters } from './task-filter.ts'

const filterParameters = { ...scopeParameters, ids: listParameters.ids }
const filterNames = Object.keys(filterParameters)

const fields = {
  action: {
    schema: Type.Enum([...bulkVerbs]),
    rule: `must be one of ${bulkVerbs.join(', ')}`,
    required: true,
  },
  filter: {
    schema: Type.Object(
      Object.fromEntries(
        Object.entries(filterParameters).map(([name, { schema }]) => [name, Type.Optional(schema)]),
      ),
      {
        additionalProperties: true,
        description:
          'As the filters of `GET /tasks`; lists may also be arrays. `{}` is all tasks that can be.',
        examples: [{ status: 'failed', type: 'email.*', age: '<1h' }],
      },
    ),
    rule: 'must be an object of filters, such as {"status":"failed"}',
    required: true,
  },
  start: {
    schema: Type.Boolean({ description: 'Begin as soon as it is counted.' }),
    rule: 'must be true or false',
    default: false,
  },
} satisfies Fields

export const bulkBodySchema = schemaOf(fields)

/** What POST /bulk-actions asks for. Throws the Problem that says everything that is wrong. */
export function readBulkBody(body: unknown): Omit<NewBulkAction, 'id'> {
  const loose = {
    ...fields,
    filter: { ...fields.filter, schema: Type.Object({}, { additionalProperties: true }) },
  }
  const { values } = readBody(body, loose)
  const { action, start } = values
  const scope = readFilter(values.filter)
  const odd = scope.status?.find((status) => !statusesOf[action].includes(status))
  if (odd !== undefined) {
    const detail = `has ${odd}, in which there is nothing to ${action}: only ${statusesOf[action].join(', ')}`
    throw invalid([{ pointer: '#/filter/status', detail }])
  }
  return { action, scope, filter: JSON.stringify(values.filter), start }
}

function readFilter(filter: object): TaskScope {
  const texts: Record<string, string> = Object.create(null)
  const faults: Fault[] = []
  for (const [name, value] of Object.entries(filter)) {
    const text = textOf(value)
    if (text === undefined && filterNames.includes(name))
      faults.push({ pointer: pointerTo('#/filter', name), detail: 'must be a string, or a list of strings' })
    else texts[name] = text ?? ''
  }
  if (faults.length > 0) throw invalid(faults)
  const query = openQuery(texts, filterNames, (name) => ({ pointer: pointerTo('#/filter', name) }))
  const ids = query.take('ids', filterParameters.ids)
  const scope = readScope(query)
  query.close()
  return ids ? { ...scope, ids } : scope
}

function textOf(value: unknown): string | undefined {
  if (Array.isArray(value)) return value.every((one) => typeof one === 'string') ? value.join(',') : undefined
  return typeof value === 'string' ? value : undefined
}
