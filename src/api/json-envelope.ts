import type { JsonText } from '../domain/task.ts'
import { JsonDepthError, JsonSyntaxError, skipSpace, skipString, skipValue } from './json-scan.ts'
import type { Fault } from './problem.ts'

/** An object of a body: its payload as the text that was sent, everything else parsed. */
export type Envelope = { payload: JsonText | undefined; fields: Record<string, unknown>; repeated: string[] }

/** The tasks of a batch, whether there was such a member, what comes then, who is told, and the names of the others. */
export type BatchEnvelope = {
  tasks: (Envelope | undefined)[]
  sequel: Envelope | undefined
  callbackUrl: unknown
  others: string[]
  given: boolean
}

/** More members than any valid object has: not worth listing each. */
const mostMembers = 100

/** Something of the right grammar that cannot be an envelope. */
export class EnvelopeError extends Error {
  readonly fault: Fault

  constructor(pointer: string, detail: string) {
    super(`${pointer} ${detail}`)
    this.name = 'EnvelopeError'
    this.fault = { pointer, detail }
  }
}

/** Reads the body of one submission. Throws JsonSyntaxError and EnvelopeError. */
export function readEnvelope(text: string): Envelope {
  const start = skipSpace(text, 0)
  if (text.charAt(start) !== '{') {
    expectEnd(text, skipWithin(text, start, '#'))
    throw new EnvelopeError('#', 'must be an object')
  }
  const envelope: Envelope = { payload: undefined, fields: {}, repeated: [] }
  expectEnd(text, scanEnvelope(text, start, { envelope, pointer: '#' }))
  return envelope
}

/** The members of an object, each as the text that was sent. Throws JsonSyntaxError and EnvelopeError. */
export function readMembers(
  text: string,
  pointer: string,
): { members: Map<string, JsonText>; repeated: string[] } {
  const start = skipSpace(text, 0)
  const members = new Map<string, JsonText>()
  const repeated: string[] = []
  if (text.charAt(start) !== '{') {
    expectEnd(text, skipWithin(text, start, pointer))
    throw new EnvelopeError(pointer, 'must be an object')
  }
  const end = eachMember(text, start, pointer, (key, at) => {
    const valueEnd = skipWithin(text, at, pointer, key)
    if (members.has(key)) repeated.push(key)
    members.set(key, text.slice(at, valueEnd))
    return valueEnd
  })
  expectEnd(text, end)
  return { members, repeated }
}

/** The elements of an array of known syntax, each as the text that was sent; undefined when it is no array. */
export function readElements(text: string): JsonText[] | undefined {
  if (text.charAt(0) !== '[') return undefined
  const elements: JsonText[] = []
  let at = skipSpace(text, 1)
  while (text.charAt(at) !== ']') {
    const end = skipValue(text, at)
    elements.push(text.slice(at, end))
    at = skipSpace(text, end)
    if (text.charAt(at) === ',') at = skipSpace(text, at + 1)
  }
  return elements
}

/** Reads the body of a batch. An element that is no object is undefined. Throws JsonSyntaxError and EnvelopeError. */
export function readBatchEnvelope(text: string, limit: number): BatchEnvelope {
  const start = skipSpace(text, 0)
  if (text.charAt(start) !== '{') {
    expectEnd(text, skipWithin(text, start, '#'))
    throw new EnvelopeError('#', 'must be an object')
  }
  const batch: BatchEnvelope = {
    tasks: [],
    sequel: undefined,
    callbackUrl: undefined,
    others: [],
    given: false,
  }
  const end = eachMember(text, start, '#', (key, at) => {
    if (key === 'then') return scanSequel(text, at, batch)
    if (key === 'callbackUrl') return scanCallback(text, at, batch)
    if (key !== 'tasks') {
      batch.others.push(key)
      return skipWithin(text, at, pointerTo('#', key))
    }
    if (batch.given) throw new EnvelopeError('#/tasks', 'occurs more than once')
    batch.given = true
    return scanTasks(text, at, { batch, limit })
  })
  expectEnd(text, end)
  return batch
}

function scanCallback(text: string, at: number, batch: BatchEnvelope): number {
  if (batch.callbackUrl !== undefined) throw new EnvelopeError('#/callbackUrl', 'occurs more than once')
  const end = skipWithin(text, at, '#/callbackUrl')
  batch.callbackUrl = JSON.parse(text.slice(at, end))
  return end
}

function scanSequel(text: string, at: number, batch: BatchEnvelope): number {
  if (batch.sequel) throw new EnvelopeError('#/then', 'occurs more than once')
  if (text.charAt(at) !== '{') {
    skipWithin(text, at, '#/then')
    throw new EnvelopeError('#/then', 'must be an object')
  }
  batch.sequel = { payload: undefined, fields: {}, repeated: [] }
  return scanEnvelope(text, at, { envelope: batch.sequel, pointer: '#/then' })
}

/** An object that holds a submission in one of its members, with the rest parsed. */
export type TaskHolder = Omit<Envelope, 'payload'> & { task: Envelope | undefined }

/** Reads an object with a member `task` that is a submission; what is no object there is undefined. Throws as the others. */
export function readTaskHolder(text: string): TaskHolder {
  const start = skipSpace(text, 0)
  if (text.charAt(start) !== '{') {
    expectEnd(text, skipWithin(text, start, '#'))
    throw new EnvelopeError('#', 'must be an object')
  }
  const holder: TaskHolder = { task: undefined, fields: {}, repeated: [] }
  const end = eachMember(text, start, '#', (key, at) => {
    if (Object.hasOwn(holder.fields, key)) holder.repeated.push(key)
    if (key === 'task' && text.charAt(at) === '{') {
      holder.task = { payload: undefined, fields: {}, repeated: [] }
      define(holder.fields, key, true)
      return scanEnvelope(text, at, { envelope: holder.task, pointer: '#/task' })
    }
    const valueEnd = skipWithin(text, at, pointerTo('#', key))
    define(holder.fields, key, JSON.parse(text.slice(at, valueEnd)))
    return valueEnd
  })
  expectEnd(text, end)
  return holder
}

type TaskList = { batch: BatchEnvelope; limit: number }

function scanTasks(text: string, from: number, { batch, limit }: TaskList): number {
  if (text.charAt(from) !== '[') {
    skipWithin(text, from, '#/tasks')
    throw new EnvelopeError('#/tasks', 'must be an array')
  }
  let at = skipSpace(text, from + 1)
  if (text.charAt(at) === ']') return at + 1
  for (;;) {
    at = scanTask(text, at, { batch, limit })
    at = skipSpace(text, at)
    const next = text.charAt(at)
    if (next === ']') return at + 1
    if (next !== ',') throw new JsonSyntaxError(text, at)
    at = skipSpace(text, at + 1)
  }
}

function scanTask(text: string, at: number, { batch, limit }: TaskList): number {
  const index = batch.tasks.length
  if (index === limit) throw new EnvelopeError('#/tasks', `has more than ${limit} tasks`)
  const pointer = `#/tasks/${index}`
  if (text.charAt(at) !== '{') {
    batch.tasks.push(undefined)
    return skipWithin(text, at, pointer)
  }
  const envelope: Envelope = { payload: undefined, fields: {}, repeated: [] }
  batch.tasks.push(envelope)
  return scanEnvelope(text, at, { envelope, pointer })
}

function scanEnvelope(text: string, from: number, to: { envelope: Envelope; pointer: string }): number {
  const { envelope, pointer } = to
  return eachMember(text, from, pointer, (key, at) => {
    const end = skipWithin(text, at, pointer, key)
    const json = text.slice(at, end)
    if (key === 'payload') {
      if (envelope.payload !== undefined) envelope.repeated.push(key)
      envelope.payload = json
    } else {
      if (Object.hasOwn(envelope.fields, key)) envelope.repeated.push(key)
      define(envelope.fields, key, isPlainString(json) ? json.slice(1, -1) : JSON.parse(json))
    }
    return end
  })
}

/** Calls `visit` with each key and where its value begins; `visit` answers where it ends. */
function eachMember(
  text: string,
  from: number,
  pointer: string,
  visit: (key: string, at: number) => number,
): number {
  let at = skipSpace(text, from + 1)
  if (text.charAt(at) === '}') return at + 1
  for (let members = 1; ; members++) {
    if (members > mostMembers) throw new EnvelopeError(pointer, `has more than ${mostMembers} members`)
    const keyEnd = skipString(text, at)
    const key = keyOf(text, at, keyEnd)
    at = skipSpace(text, keyEnd)
    if (text.charAt(at) !== ':') throw new JsonSyntaxError(text, at)
    at = skipSpace(text, visit(key, skipSpace(text, at + 1)))
    const next = text.charAt(at)
    if (next === '}') return at + 1
    if (next !== ',') throw new JsonSyntaxError(text, at)
    at = skipSpace(text, at + 1)
  }
}

function keyOf(text: string, start: number, end: number): string {
  const json = text.slice(start, end)
  return isPlainString(json) ? json.slice(1, -1) : String(JSON.parse(json))
}

/** Most texts have no escapes, and JSON.parse costs five times what a look does. */
function isPlainString(json: string): boolean {
  return json.charCodeAt(0) === 0x22 && !json.includes('\\')
}

// An assignment to __proto__ would set the prototype and hide the field from the check for unknown ones.
function define(fields: Record<string, unknown>, key: string, value: unknown) {
  if (key === '__proto__')
    Object.defineProperty(fields, key, { value, enumerable: true, configurable: true, writable: true })
  else fields[key] = value
}

function skipWithin(text: string, at: number, pointer: string, key?: string): number {
  try {
    return skipValue(text, at)
  } catch (error) {
    if (!(error instanceof JsonDepthError)) throw error
    throw new EnvelopeError(key === undefined ? pointer : pointerTo(pointer, key), error.message)
  }
}

function expectEnd(text: string, end: number) {
  const at = skipSpace(text, end)
  if (at < text.length) throw new JsonSyntaxError(text, at)
}

/** A JSON pointer (RFC 6901) as a fragment, one step further. Long keys are cut. */
export function pointerTo(pointer: string, key: string): string {
  return `${pointer}/${shorten(key).replaceAll('~', '~0').replaceAll('/', '~1')}`
}

/** What a client sent, cut to a length that fits into an answer. */
export function shorten(text: string): string {
  return text.length > 64 ? `${text.slice(0, 64)}…` : text
}
