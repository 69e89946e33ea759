import { type TSchema, Type } from 'typebox'
import type { QueueLimits } from '../domain/queue.ts'
import { pointerTo } from './json-envelope.ts'
import { suggestion } from './nearest-name.ts'
import { type Fault, invalid, mostFaults, Problem } from './problem.ts'

const mostAtOnce = 1_000_000
const fastest = 1_000_000
const slowest = 0.001

const atOnce = {
  schema: (description: string) =>
    Type.Union([Type.Integer({ minimum: 1, maximum: mostAtOnce }), Type.Null()], { description }),
  isValid: (value: unknown) =>
    Number.isInteger(value) && (value as number) >= 1 && (value as number) <= mostAtOnce,
  rule: `must be a whole number from 1 to ${mostAtOnce}, or null for no limit`,
}
const perSecond = {
  schema: (description: string) =>
    Type.Union([Type.Number({ minimum: slowest, maximum: fastest }), Type.Null()], { description }),
  isValid: (value: unknown) => typeof value === 'number' && value >= slowest && value <= fastest,
  rule: `must be a number from ${slowest} to ${fastest}, or null for no limit`,
}

const fields = {
  concurrency: { ...atOnce, description: 'How many of the queue run at once, over all workers.' },
  ratePerSecond: { ...perSecond, description: 'How many of the queue start in a second, over all workers.' },
  keyConcurrency: { ...atOnce, description: 'How many of each key run at once.' },
  keyRatePerSecond: { ...perSecond, description: 'How many of each key start in a second.' },
} satisfies Record<keyof QueueLimits, unknown>

const isLimit = (name: string): name is keyof QueueLimits => Object.hasOwn(fields, name)

/** The limits, as the OpenAPI document shows them. Null is no limit. */
export const limitProperties: Record<string, TSchema> = {}
for (const [name, { schema, description }] of Object.entries(fields))
  limitProperties[name] = schema(description)

/** The limits that the body of a PATCH changes. Throws the Problem that says everything that is wrong. */
export function readLimits(body: unknown): Partial<QueueLimits> {
  const given = readObject(body)
  const faults: Fault[] = []
  for (const [name, value] of Object.entries(given)) {
    if (faults.length === mostFaults) break
    if (!isLimit(name)) {
      const detail = `is not a limit of a queue${suggestion(name, Object.keys(fields))}`
      faults.push({ pointer: pointerTo('#', name), detail })
    } else if (value !== null && !fields[name].isValid(value))
      faults.push({ pointer: `#/${name}`, detail: fields[name].rule })
  }
  if (Object.keys(given).length === 0)
    faults.push({ pointer: '#', detail: `must have a limit at least: ${Object.keys(fields).join(', ')}` })
  if (faults.length > 0) throw invalid(faults)
  return given
}

function readObject(body: unknown): object {
  if (typeof body !== 'string' || body === '')
    throw new Problem('empty-body', 'send a JSON object as the body')
  const given = parse(body)
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw invalid([{ pointer: '#', detail: 'must be an object' }])
  return given
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const message = error instanceof Error ? error.message : 'it is not JSON'
    throw new Problem('malformed-json', message, { cause: error })
  }
}
