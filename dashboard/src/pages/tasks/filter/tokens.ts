import { type Field, type Filter, fieldOf, fields } from './fields.ts'

/** A word of the box with its place: what is before the colon, and the value without its quotes. */
export type Token = { from: number; to: number; word: string; value: string | undefined; isQuoted: boolean }

export type Fault = { from: number; to: number; detail: string }

/** What the text of the box says, and what of it cannot be understood. */
export type Reading = { filter: Filter; faults: readonly Fault[] }

/** One token: a word, a colon, and a value that is bare or a JSON string. The last quote may be missing. */
const tokenShape = /([^\s:"]*)(?::("(?:[^"\\]|\\.)*"?|[^\s"]\S*)?)?|\S+/gy

export function tokensIn(text: string): Token[] {
  const tokens: Token[] = []
  for (let at = 0; at < text.length; ) {
    if (/\s/.test(text[at]!)) {
      at++
      continue
    }
    tokenShape.lastIndex = at
    let found = tokenShape.exec(text)!
    // A quote where none may be: all that is not space is one word.
    if (found[0] === '') found = /\S+/.exec(text.slice(at))!
    tokens.push(tokenOf(text, at, found))
    at += found[0].length
  }
  return tokens
}

function tokenOf(text: string, from: number, [whole, word, value]: RegExpExecArray): Token {
  const to = from + whole.length
  if (word === undefined) return { from, to, word: whole, value: undefined, isQuoted: false }
  const hasColon = text[from + word.length] === ':'
  if (!value?.startsWith('"'))
    return { from, to, word, value: hasColon ? (value ?? '') : undefined, isQuoted: false }
  return { from, to, word, value: unquoted(value), isQuoted: true }
}

/** Undefined where the quote is not closed or what is in it is no string. */
function unquoted(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'string' ? value : undefined
  } catch {
    return undefined
  }
}

export function readFilter(text: string): Reading {
  const filter: Filter = {}
  const faults: Fault[] = []
  for (const token of tokensIn(text)) {
    const read = readToken(token, filter)
    if ('detail' in read) faults.push({ from: token.from, to: token.to, detail: read.detail })
    else filter[read.field.name] = read.value
  }
  return { filter, faults }
}

type Read = { field: Field; value: string } | { detail: string }

function readToken({ word, value, isQuoted }: Token, soFar: Filter): Read {
  const field = fieldOf(word)
  if (value === undefined && isQuoted)
    return { detail: `the quote of ${word} is not closed, or has a wrong \\` }
  if (value === undefined)
    return { detail: `“${word}” has no name: write ${field ? `${word}:…` : 'type:… or another'}` }
  if (!field) return { detail: `“${word}” is not known${nearest(word)}` }
  if (value === '' && !isQuoted) return { detail: `${word}: what is missing is its value` }
  if (soFar[field.name] !== undefined) return { detail: `${field.word} is there twice` }
  const read = field.read(value)
  return 'rule' in read ? { detail: `${field.word} ${read.rule}` } : { field, value: read.value }
}

function nearest(word: string): string {
  const near = fields.find(({ word: known }) => distance(word.toLowerCase(), known) <= 2)
  return near ? `: ${near.word}?` : `: ${fields.map((field) => field.word).join(', ')}`
}

/** How many letters must be put in, taken out or changed. */
function distance(a: string, b: string): number {
  let before = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++)
      row[j] = Math.min(before[j]! + 1, row[j - 1]! + 1, before[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1))
    before = row
  }
  return before[b.length]!
}

/** The text of the box that says `filter`, in the order of the fields. */
export function textOf(filter: Filter): string {
  return fields
    .filter(({ name }) => filter[name] !== undefined)
    .map(({ word, name }) => `${word}:${quoted(filter[name]!)}`)
    .join(' ')
}

export function quoted(value: string): string {
  return /^[^\s"\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]+$/.test(value)
    ? value
    : JSON.stringify(value)
}

const names = fields.map(({ name }) => name)

/** What of the address of the page is a filter. */
export function filterIn(search: Readonly<Record<string, string | undefined>>): Filter {
  const given = names.map((name) => [name, search[name]] as const)
  return Object.fromEntries(given.filter(([, value]) => value !== undefined && value !== ''))
}

/** The same filter for the command line. */
export function flagsOf(filter: Filter, quote: (word: string) => string): string {
  return fields
    .filter(({ name }) => filter[name] !== undefined)
    .map(({ word, name }) => `--${word} ${quote(filter[name]!)}`)
    .join(' ')
}

const uuid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi

/** The id of the task that somebody has pasted: the only id in the text, with no name before it. */
export function pastedId(text: string): string | undefined {
  const found = [...text.matchAll(uuid)]
  const [first] = found
  if (!first || found.length > 1 || tokensIn(text).some(({ word }) => fieldOf(word))) return undefined
  return first[0].toLowerCase()
}
