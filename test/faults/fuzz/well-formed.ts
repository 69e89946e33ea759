import fc from 'fast-check'
import { type Schema, valuesOf } from './from-schema.ts'
import { type WireRequest, wireRequest } from './request.ts'
import { knocked, spoiled } from './spoil.ts'

/** As much of an OpenAPI document as requests are made of. */
export type Document = {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema> }
}

type Operation = {
  parameters?: readonly { name: string; in: string; schema: Schema; required?: boolean }[]
  requestBody?: { content: Record<string, { schema: Schema }> }
  responses?: Record<string, { content?: Record<string, unknown> }>
}

/** Ids that the server has given out, for requests that mean something. */
export type KnownIds = () => string | undefined

/** Well-formed requests: some to the letter of the document, some a little off, with odd headers now and then. */
export function wellFormed(document: Document, knownId: KnownIds): fc.Arbitrary<WireRequest> {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, operation]) => !isStream(operation))
      .map(([method, operation]) => requestsOf(document, { path, method, operation })),
  )
  const requests = fc.oneof(
    { weight: 8, arbitrary: fc.oneof(...operations) },
    { weight: 1, arbitrary: strayRequests },
  )
  const headed = fc.tuple(requests, someHeaders)
  return headed.map(([{ path, headers = [], ...request }, odd]) => {
    const id = path.includes(anyId) ? (knownId() ?? crypto.randomUUID()) : ''
    return wireRequest({ ...request, path: path.replaceAll(anyId, id), headers: [...headers, ...odd] })
  })
}

/** An answer without an end cannot be told from one that hangs. */
function isStream({ responses }: Operation): boolean {
  return responses?.['200']?.content?.['text/event-stream'] !== undefined
}

type Parts = Parameters<typeof wireRequest>[0]
type Route = { path: string; method: string; operation: Operation }

/** Stands for an id that is known when the request is sent. */
const anyId = '<id>'

function requestsOf({ components: { schemas } }: Document, route: Route): fc.Arbitrary<Parts> {
  const { operation, path } = route
  const method = route.method.toUpperCase()
  const query = queriesOf(operation, schemas)
  const ids = fc.oneof({ weight: 6, arbitrary: fc.constant(anyId) }, fc.uuid(), oddSegments)
  const target = fc
    .tuple(ids, query)
    .map(([id, text]) => path.replace('{id}', id) + (text === '' ? '' : `?${text}`))
  const content = operation.requestBody?.content['application/json']
  if (!content) return target.map((path) => ({ method, path }))
  const headers = ['Content-Type: application/json']
  const bodies = bodiesOf(content.schema, schemas)
  return fc.tuple(target, bodies).map(([path, body]) => ({ method, path, headers, body }))
}

function bodiesOf(schema: Schema, shared: Record<string, Schema>): fc.Arbitrary<Buffer> {
  const texts = valuesOf(schema, shared).map((value) => JSON.stringify(value))
  const right = texts.map((text) => Buffer.from(text))
  const odd = spoiled(texts).map((text) => Buffer.from(text))
  return fc.oneof(
    { weight: 3, arbitrary: right },
    { weight: 5, arbitrary: odd },
    knocked(right),
    fc.constant(huge),
  )
}

/** Larger than a payload may be, and still a body that one may send. */
const huge = Buffer.from(`{"payload":"${'x'.repeat(1024 * 1024)}"}`)

/** Waiting for tasks that nobody runs is no part of this: a wait is a hundredth of what the document allows. */
function queriesOf({ parameters = [] }: Operation, shared: Record<string, Schema>): fc.Arbitrary<string> {
  const pairs = parameters
    .filter((parameter) => parameter.in === 'query')
    .map(({ name, schema }) => {
      const values = valuesOf(schema, shared)
      const fitting = name === 'wait' ? values.map((value) => (Number(value) / 100).toFixed(3)) : values
      return pairsOf(fc.constant(name), fitting.map(String))
    })
  const odd = pairsOf(oddNames, fc.oneof(oddSegments, fc.string({ unit: 'grapheme' })))
  const none = fc.constant('')
  if (pairs.length === 0) return fc.oneof({ weight: 9, arbitrary: none }, odd)
  const one = fc.oneof({ weight: 9, arbitrary: fc.oneof(...pairs) }, odd)
  return fc.array(one, { maxLength: 3 }).map((list) => list.join('&'))
}

function pairsOf(names: fc.Arbitrary<string>, values: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.tuple(names, values).map(([name, value]) => `${name}=${encodeURIComponent(value.toWellFormed())}`)
}

const oddNames = fc.constantFrom(
  'x',
  '',
  '__proto__',
  'status[]',
  'limit',
  'constructor',
  'stauts',
  '%00',
  'hasOwnProperty',
)

const oddSegments = fc.oneof(
  fc.constantFrom(
    '',
    '.',
    '..',
    '%',
    '%2',
    '%2f',
    '%ff',
    '%00',
    '%c0%af',
    '*',
    ';',
    '__proto__',
    'null',
    '-1',
  ),
  fc.constantFrom(
    'a'.repeat(1_001),
    '%41'.repeat(400),
    '0'.repeat(36),
    `${'0'.repeat(8)}-0000-0000-0000-${'g'.repeat(12)}`,
  ),
  fc.string({ unit: 'grapheme', maxLength: 10 }).map((text) => encodeURIComponent(text.toWellFormed())),
)

const methods = fc.constantFrom(
  ...[
    'GET',
    'HEAD',
    'POST',
    'PUT',
    'PATCH',
    'DELETE',
    'OPTIONS',
    'TRACE',
    'PROPFIND',
    'PURGE',
    'REPORT',
    'QUERY',
  ],
)
const words = fc.constantFrom(
  'tasks',
  'batch',
  'cancel',
  'retry',
  'stats',
  'docs',
  'readyz',
  'openapi.json',
  'workers',
  anyId,
)

/** Any method on any address, near the known ones or not, with a body or not. */
const strayRequests: fc.Arbitrary<Parts> = fc
  .tuple(
    methods,
    fc.array(fc.oneof({ weight: 4, arbitrary: words }, oddSegments), { maxLength: 5 }),
    fc.constantFrom('', '', '?', '?a=1&a=2', '?__proto__=1', '??', `?${'q=1&'.repeat(500)}`, '?%'),
    fc.option(fc.constantFrom('', '{}', 'null', '{"payload":1}', 'a=b'), { nil: undefined }),
  )
  .map(([method, segments, query, text]) => ({
    method,
    path: `/${segments.join('/')}${query}`,
    headers: text === undefined ? [] : ['Content-Type: application/json'],
    ...(text === undefined ? {} : { body: Buffer.from(text) }),
  }))

const oddHeaders = [
  ...[
    'Content-Type: text/plain',
    'Content-Type: application/json; charset=utf-16',
    'Content-Type:',
    'Content-Type: ;',
  ],
  ...[
    'Content-Encoding: gzip',
    'Content-Encoding: identity',
    'Accept: */*;q=nan',
    'Accept-Encoding: br;q=1e9',
  ],
  ...[
    'Idempotency-Key: a',
    'Idempotency-Key: a\r\nIdempotency-Key: b',
    'Idempotency-Key:',
    'Idempotency-Key: \u00e9\u00ff',
  ],
  ...[
    `Idempotency-Key: ${'k'.repeat(255)}`,
    `Idempotency-Key: ${'k'.repeat(256)}`,
    `X-Large: ${'h'.repeat(12_000)}`,
  ],
  ...[
    'Authorization: Bearer',
    'Authorization: Basic ????',
    'Last-Event-ID: -1',
    'Range: bytes=0-0',
    'If-None-Match: *',
  ],
  ...[
    'X-HTTP-Method-Override: DELETE',
    'X-Forwarded-For: ::',
    'Host: other',
    'Cookie: a=b; a=b',
    '__proto__: 1',
  ],
  ...[
    'constructor: 1',
    'Accept-Version: 1.x',
    'Accept-Version: \u00ff',
    'Via: 1.1 x',
    'Max-Forwards: 0',
    'Expect: 100-continue',
  ],
  ...Array.from({ length: 3 }, (_, i) => `X-Many: ${i}\r\n`.repeat(40 * (i + 1)).trimEnd()),
]

const someHeaders = fc.oneof(
  { weight: 6, arbitrary: fc.constant([]) },
  { weight: 4, arbitrary: fc.array(fc.constantFrom(...oddHeaders), { minLength: 1, maxLength: 3 }) },
)
