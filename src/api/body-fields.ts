import { type Static, type TSchema, Type } from 'typebox'
import { Check } from 'typebox/value'
import type { JsonText } from '../domain/task.ts'
import { EnvelopeError, pointerTo, readMembers, shorten } from './json-envelope.ts'
import { JsonSyntaxError } from './json-scan.ts'
import { suggestion } from './nearest-name.ts'
import { type Fault, invalid, Problem } from './problem.ts'

/** A field of a body, with the sentence that an invalid value is answered with. */
export type Field = { schema: TSchema; rule: string; required?: boolean; default?: unknown }
export type Fields = Record<string, Field>

type Given<F extends Field> = F extends { required: true } | { default: NonNullable<unknown> }
  ? Static<F['schema']>
  : Static<F['schema']> | undefined
export type Values<T extends Fields> = { [Name in keyof T]: Given<T[Name]> }

/** The fields of an object, and the texts of its members. Undefined when there were faults, which are added. */
export type Read<T extends Fields> = { values: Values<T>; texts: Map<string, JsonText> }

/** The fields of a request's body. Throws the Problem that says everything that is wrong. */
export function readBody<T extends Fields>(body: unknown, fields: T): Read<T> {
  if (typeof body !== 'string' || body === '')
    throw new Problem('empty-body', 'send a JSON object as the body')
  const faults: Fault[] = []
  const read = readFields(body, fields, { pointer: '#', faults })
  if (!read) throw invalid(faults)
  return read
}

type Place = { pointer: string; faults: Fault[] }

export function readFields<T extends Fields>(
  text: JsonText,
  fields: T,
  { pointer, faults }: Place,
): Read<T> | undefined {
  const before = faults.length
  const found = membersOf(text, pointer, faults)
  if (!found) return undefined
  const { members, repeated } = found
  for (const key of repeated)
    faults.push({ pointer: pointerTo(pointer, key), detail: 'occurs more than once' })
  const known = Object.keys(fields)
  const values: Record<string, unknown> = {}
  for (const [key, json] of members) {
    const field = Object.hasOwn(fields, key) ? fields[key] : undefined
    const value = field && JSON.parse(json)
    if (!field) {
      const detail = `'${shorten(key)}' is not a known field${suggestion(key, known)}`
      faults.push({ pointer: pointerTo(pointer, key), detail })
    } else if (!Check(field.schema, value)) faults.push({ pointer: `${pointer}/${key}`, detail: field.rule })
    else values[key] = value
  }
  for (const [key, field] of Object.entries(fields)) {
    if (members.has(key)) continue
    if (field.required) faults.push({ pointer: `${pointer}/${key}`, detail: 'is missing' })
    else if (field.default !== undefined) values[key] = field.default
  }
  return faults.length > before ? undefined : { values: values as Values<T>, texts: members }
}

function membersOf(text: JsonText, pointer: string, faults: Fault[]) {
  try {
    return readMembers(text, pointer)
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw new Problem('malformed-json', error.message, { cause: error })
    if (!(error instanceof EnvelopeError)) throw error
    faults.push(error.fault)
    return undefined
  }
}

/** The same as a schema, for the OpenAPI document. */
export function schemaOf(fields: Fields): TSchema {
  const properties = Object.entries(fields).map(([name, { schema, required, default: byDefault }]) => {
    const shown = byDefault === undefined ? schema : { ...schema, default: byDefault }
    return [name, required ? shown : Type.Optional(shown)] as const
  })
  return Type.Object(Object.fromEntries(properties), { additionalProperties: false })
}
