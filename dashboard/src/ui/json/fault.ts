export type JsonFault = { at: number; line: number; column: number; detail: string }

/** Where a text stops to be JSON, and what should be there; undefined if all of it is. */
export function jsonFault(text: string): JsonFault | undefined {
  const found = faultAt(text)
  if (!found) return undefined
  const [at, detail] = found
  const before = text.slice(0, at).split('\n')
  return { at, line: before.length, column: before.at(-1)!.length + 1, detail }
}

type Found = [at: number, detail: string]

/** What is expected next: a value; a value or the end of the array; a name; a name or the end; a colon; a comma or the end. */
type Expected = 'value' | 'first-value' | 'name' | 'first-name' | 'colon' | 'next'

const said: Record<Expected, string> = {
  value: 'a value belongs here',
  'first-value': 'a value or ] belongs here',
  name: 'a name in double quotes belongs here',
  'first-name': 'a name in double quotes or } belongs here',
  colon: 'a colon belongs here',
  next: 'a comma or the closing bracket belongs here',
}

const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y
const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const space = /[ \t\n\r]*/y

function faultAt(text: string): Found | undefined {
  const open: string[] = []
  let expected: Expected = 'value'
  for (let at = match(space, text, 0); ; at = match(space, text, at)) {
    if (expected === 'next' && open.length === 0)
      return at === text.length ? undefined : [at, 'the value ends before this']
    if (at === text.length) return [at, `the text ends, and ${said[expected]}`]
    const step = next(text, at, expected, open)
    if (typeof step === 'string') return stringFault(text, at) ?? [at, step]
    at = step.to
    expected = step.expected
  }
}

type Step = { to: number; expected: Expected }

/** One step further, or the sentence that says what should be there. Opens and closes brackets on the way. */
function next(text: string, at: number, expected: Expected, open: string[]): Step | string {
  const char = text[at]!
  if (expected === 'colon') return char === ':' ? { to: at + 1, expected: 'value' } : said.colon
  if (expected === 'next') return afterItem(char, at, open)
  if (expected === 'name' || expected === 'first-name') {
    if (expected === 'first-name' && char === '}') return close(at, open)
    const to = match(string, text, at)
    return to > at ? { to, expected: 'colon' } : said[expected]
  }
  if (expected === 'first-value' && char === ']') return close(at, open)
  if (char === '{' || char === '[') {
    open.push(char)
    return { to: at + 1, expected: char === '{' ? 'first-name' : 'first-value' }
  }
  const to = match(char === '"' ? string : scalar, text, at)
  return to > at ? { to, expected: 'next' } : said[expected]
}

function afterItem(char: string, at: number, open: string[]): Step | string {
  const inside = open.at(-1)
  if (char === ',') return { to: at + 1, expected: inside === '{' ? 'name' : 'value' }
  return char === (inside === '{' ? '}' : ']')
    ? close(at, open)
    : `a comma or ${inside === '{' ? '}' : ']'} belongs here`
}

function close(at: number, open: string[]): Step {
  open.pop()
  return { to: at + 1, expected: 'next' }
}

/** A string that is none: where in it the fault is. */
function stringFault(text: string, at: number): Found | undefined {
  if (text[at] !== '"') return undefined
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === '"') return undefined
    if (text[i]! < ' ') return [i, 'a string cannot go over lines: write \\n for the end of a line']
    if (text[i] === '\\' && !/^\\(?:["\\/bfnrt]|u[0-9a-f]{4})/i.test(text.slice(i, i + 6)))
      return [i, 'there is no such escape in JSON']
    if (text[i] === '\\') i++
  }
  return [at, 'this string is not closed']
}

function match(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : at
}
