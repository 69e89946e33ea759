import fc from 'fast-check'

/** As much of JSON Schema as an OpenAPI document of ours says things in. */
export type Schema = {
  $ref?: string
  type?: string
  enum?: readonly unknown[]
  const?: unknown
  anyOf?: readonly Schema[]
  format?: string
  pattern?: string
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
  items?: Schema
  minItems?: number
  maxItems?: number
  properties?: Record<string, Schema>
  required?: readonly string[]
}

const mostItems = 4

/** Values that a schema takes. `shared` are the schemas that it may refer to, by name. */
export function valuesOf(schema: Schema, shared: Record<string, Schema>): fc.Arbitrary<unknown> {
  const { $ref, anyOf, items, properties } = schema
  if ($ref !== undefined) return valuesOf(shared[$ref.split('/').at(-1)!]!, shared)
  if (anyOf) return fc.oneof(...anyOf.map((one) => valuesOf(one, shared)))
  if ('const' in schema) return fc.constant(schema.const)
  if (schema.enum) return fc.constantFrom(...schema.enum)
  if (properties) return objects(properties, schema.required ?? [], shared)
  if (items) {
    const maxLength = Math.min(schema.maxItems ?? mostItems, mostItems)
    return fc.array(valuesOf(items, shared), { minLength: schema.minItems ?? 0, maxLength })
  }
  return scalars(schema)
}

function objects(
  properties: Record<string, Schema>,
  required: readonly string[],
  shared: Record<string, Schema>,
) {
  const members = Object.entries(properties).map(([name, schema]) => [name, valuesOf(schema, shared)])
  const model: Record<string, fc.Arbitrary<unknown>> = Object.fromEntries(members)
  return fc.record(model, { requiredKeys: [...required] })
}

function scalars({ type, format, pattern, minimum = 0, maximum = 2 ** 31, ...length }: Schema) {
  if (type === 'integer') return fc.integer({ min: minimum, max: Math.min(maximum, 2 ** 31 - 1) })
  if (type === 'number') return fc.double({ min: minimum, max: maximum, noNaN: true })
  if (type === 'boolean') return fc.boolean()
  if (type !== 'string') return fc.jsonValue({ stringUnit: 'binary' })
  if (format === 'uuid') return fc.uuid()
  if (format === 'date-time') return instants
  // Classes of characters by their Unicode property are more than fast-check reads.
  if (pattern !== undefined && !pattern.includes('\\p')) return fc.stringMatching(new RegExp(pattern))
  return fc.string({ unit: 'grapheme', minLength: length.minLength ?? 0, maxLength: length.maxLength ?? 40 })
}

const instants = fc
  .date({ min: new Date('1990-01-01'), max: new Date('2099-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString())
