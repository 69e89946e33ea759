import type { Check, Evidence, Violation } from './evidence.ts'

const promise = '6 every statement may be repeated'

/** 6: a submission that is repeated, by the client with its key or by an api with its id, is stored once. */
export const repetition: Check = function* (evidence) {
  yield* keysAnsweredTwice(evidence)
  yield* storedTwice(evidence, 'key')
  yield* storedTwice(evidence, 'mark')
  yield* keysOfNobody(evidence)
}

function* keysAnsweredTwice({ client }: Evidence): Iterable<Violation> {
  const known = new Map<string, string>()
  for (const line of client) {
    if (line.what !== 'submitted' || line.key === undefined) continue
    const id = line.ids[0]!
    const before = known.get(line.key)
    if (before !== undefined && before !== id)
      yield { promise, id, saw: `was answered for key ${line.key}, which is ${before}'s` }
    known.set(line.key, before ?? id)
  }
}

function* storedTwice({ database }: Evidence, name: 'key' | 'mark'): Iterable<Violation> {
  const known = new Map<string, string>()
  for (const { id, [name]: value } of database.tasks) {
    if (value === null) continue
    const before = known.get(value)
    if (before !== undefined) yield { promise, id, saw: `has the ${name} ${value}, as ${before} has` }
    known.set(value, id)
  }
}

function* keysOfNobody({ database }: Evidence): Iterable<Violation> {
  const keys = new Map(database.keys.map(({ key, id }) => [key, id]))
  for (const { id, key } of database.tasks) {
    if (key !== null && keys.get(key) !== id)
      yield { promise, id, saw: `has key ${key}, which is kept for ${keys.get(key) ?? 'nobody'}` }
  }
}
