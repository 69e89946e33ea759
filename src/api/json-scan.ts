import { limits } from '../domain/submission.ts'

/** The text is not JSON at this index. */
export class JsonSyntaxError extends Error {
  readonly at: number

  constructor(text: string, at: number) {
    super(describe(text, at))
    this.name = 'JsonSyntaxError'
    this.at = at
  }
}

/** The value is nested deeper than `limits.jsonDepth`. */
export class JsonDepthError extends Error {
  constructor() {
    super(`is nested deeper than ${limits.jsonDepth} levels`)
    this.name = 'JsonDepthError'
  }
}

const quote = 0x22
const comma = 0x2c
const colon = 0x3a
const backslash = 0x5c
const openBracket = 0x5b
const openBrace = 0x7b
const closeBrace = 0x7d
const minus = 0x2d

// Scanning never waits for anything, so one stack serves all callers.
const closers = new Uint8Array(limits.jsonDepth)

/**
 * The index behind the JSON value that begins at `from`, white space before it allowed. Checks the whole grammar
 * of RFC 8259 and builds nothing. Throws JsonSyntaxError and JsonDepthError.
 */
export function skipValue(text: string, from: number): number {
  let depth = 0
  let at = skipSpace(text, from)
  for (;;) {
    const first = text.charCodeAt(at)
    if (first === openBrace || first === openBracket) {
      if (depth === limits.jsonDepth) throw new JsonDepthError()
      const closer = first + 2 // in ASCII, for both kinds
      closers[depth++] = closer
      at = skipSpace(text, at + 1)
      if (text.charCodeAt(at) !== closer) {
        if (closer === closeBrace) at = skipKey(text, at)
        continue
      }
    } else {
      at = skipScalar(text, at)
      if (depth === 0) return at
      at = skipSpace(text, at)
    }
    // A value has ended, and perhaps some of those around it.
    while (text.charCodeAt(at) === closers[depth - 1]) {
      depth--
      if (depth === 0) return at + 1
      at = skipSpace(text, at + 1)
    }
    if (text.charCodeAt(at) !== comma) throw new JsonSyntaxError(text, at)
    at = skipSpace(text, at + 1)
    if (closers[depth - 1] === closeBrace) at = skipKey(text, at)
  }
}

/** Behind `"key":` and the white space after it. */
function skipKey(text: string, at: number): number {
  const end = skipSpace(text, skipString(text, at))
  if (text.charCodeAt(end) !== colon) throw new JsonSyntaxError(text, end)
  return skipSpace(text, end + 1)
}

function skipScalar(text: string, at: number): number {
  const first = text.charCodeAt(at)
  if (first === quote) return skipString(text, at)
  if (first === minus || isDigit(first)) return skipNumber(text, at)
  for (const word of ['true', 'false', 'null']) if (text.startsWith(word, at)) return at + word.length
  throw new JsonSyntaxError(text, at)
}

/** Behind the string that begins at `at`. */
export function skipString(text: string, at: number): number {
  if (text.charCodeAt(at) !== quote) throw new JsonSyntaxError(text, at)
  const { length } = text
  for (let i = at + 1; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code === quote) return i + 1
    if (code === backslash) i = skipEscape(text, i + 1)
    else if (code < 0x20) throw new JsonSyntaxError(text, i)
  }
  throw new JsonSyntaxError(text, length)
}

const hex4 = /[0-9a-f]{4}/iy

/** The index of the last character of the escape whose letter is at `at`. */
function skipEscape(text: string, at: number): number {
  const letter = text.charAt(at)
  if (letter === 'u') {
    hex4.lastIndex = at + 1
    if (hex4.test(text)) return at + 4
  } else if (letter !== '' && '"\\/bfnrt'.includes(letter)) return at
  throw new JsonSyntaxError(text, at)
}

const numberPattern = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y

function skipNumber(text: string, at: number): number {
  numberPattern.lastIndex = at
  if (!numberPattern.test(text)) throw new JsonSyntaxError(text, at)
  return numberPattern.lastIndex
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

export function skipSpace(text: string, from: number): number {
  let at = from
  for (;;) {
    const code = text.charCodeAt(at)
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return at
    at++
  }
}

function describe(text: string, at: number): string {
  if (at >= text.length) return 'the JSON ends too early'
  let line = 1
  let lineStart = 0
  for (let next = text.indexOf('\n'); next !== -1 && next < at; next = text.indexOf('\n', lineStart)) {
    line++
    lineStart = next + 1
  }
  const character = String.fromCodePoint(text.codePointAt(at) ?? 0)
  return `unexpected ${JSON.stringify(character)} at line ${line}, column ${at - lineStart + 1}`
}
