import { type Field, fieldOf, fields } from './fields.ts'
import { quoted, tokensIn } from './tokens.ts'

export type Proposal = {
  /** What stands between `from` and `to` when it is taken. */
  text: string
  from: number
  to: number
  label: string
  about: string
  /** It is there already. */
  isTyped: boolean
}

/** What there is in the system, by the name of the field. */
export type Known = { [name in Field['name']]?: readonly string[] }

const most = 8

/** What may be meant by the word at the caret, best first: a name, or a value of the name before it. */
export function proposals(text: string, caret: number, known: Known): readonly Proposal[] {
  const token = tokensIn(text).find(({ from, to }) => from < caret && caret <= to)
  const before = token ? text.slice(token.from, caret) : ''
  const colon = before.indexOf(':')
  const place = { from: token?.from ?? caret, to: token?.to ?? caret }
  if (colon === -1) return namesFor(before, text, place)
  const field = fieldOf(before.slice(0, colon))
  return field ? valuesFor(field, before.slice(colon + 1), known, place) : []
}

type Place = { from: number; to: number }

function namesFor(typed: string, text: string, place: Place): readonly Proposal[] {
  const used = new Set(
    tokensIn(text)
      .filter(({ from, value }) => from !== place.from && value !== undefined)
      .map(({ word }) => fieldOf(word)?.name),
  )
  return fields
    .filter(({ word, name }) => word.startsWith(typed.toLowerCase()) && !used.has(name))
    .map(({ word, about }) => ({ text: `${word}:`, ...place, label: `${word}:`, about, isTyped: false }))
}

function valuesFor({ word, name, values = [] }: Field, typed: string, known: Known, place: Place) {
  // After a comma another status follows.
  const comma = name === 'status' ? typed.lastIndexOf(',') + 1 : 0
  const kept = typed.slice(0, comma)
  const taken = kept.split(',')
  const wanted = typed.slice(comma).replace(/^"/, '').toLowerCase()
  const all = [...new Set([...(known[name] ?? []), ...values])].filter((value) => !taken.includes(value))
  const starting = all.filter((value) => value.toLowerCase().startsWith(wanted))
  const containing = all.filter((value) => value.toLowerCase().indexOf(wanted) > 0)
  return [...starting, ...containing].slice(0, most).map((value) => ({
    text: `${word}:${kept}${quoted(value)} `,
    ...place,
    label: value,
    about: '',
    isTyped: wanted === value.toLowerCase(),
  }))
}

/** The families of types: `email.*` where several begin with `email.`. */
export function typeFamilies(types: readonly string[]): readonly string[] {
  const counts = new Map<string, number>()
  for (const type of types) {
    const head = /^[^._:/-]+[._:/-]/.exec(type)?.[0]
    if (head !== undefined) counts.set(head, (counts.get(head) ?? 0) + 1)
  }
  return [...counts].filter(([, n]) => n > 1).map(([head]) => `${head}*`)
}
