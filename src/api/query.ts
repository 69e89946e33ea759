import type { TSchema } from 'typebox'
import { shorten } from './json-envelope.ts'
import { suggestion } from './nearest-name.ts'
import { type Fault, invalid } from './problem.ts'

/** A query parameter: how its text is read, and the sentence that an invalid one is answered with. */
export type Parameter<T> = { schema: TSchema; read: (text: string) => T | undefined; rule: string }

export type Query = {
  /** The value of a parameter; undefined when it was not given. */
  take<T>(name: string, parameter: Parameter<T>): T | undefined
  /** Throws the Problem that lists everything that was wrong. To be called after the last `take`. */
  close(): void
}

/** Opens the query of a request. Parameters that are not `known`, or given twice, are faults. */
export function openQuery(
  query: unknown,
  known: readonly string[],
  placeOf: (name: string) => { parameter: string } | { pointer: string } = (parameter) => ({ parameter }),
): Query {
  const given = Object.entries(query ?? {})
  const faults: Fault[] = []
  const texts = new Map<string, string>()
  for (const [name, value] of given) {
    const parameter = shorten(name)
    if (!known.includes(name)) {
      const place = placeOf(parameter)
      const what = 'pointer' in place ? 'filter' : 'parameter of this address'
      faults.push({ ...place, detail: `is not a ${what}${suggestion(name, known)}` })
    } else if (typeof value === 'string') texts.set(name, value)
    else faults.push({ ...placeOf(parameter), detail: 'is given more than once' })
  }

  return {
    take(name, parameter) {
      const text = texts.get(name)
      if (text === undefined) return undefined
      const value = parameter.read(text)
      if (value === undefined) faults.push({ ...placeOf(name), detail: parameter.rule })
      return value
    },
    close() {
      if (faults.length > 0) throw invalid(faults)
    },
  }
}

/** For addresses without parameters. */
export function refuseQuery(query: unknown) {
  for (const _ in Object(query)) openQuery(query, []).close()
}
