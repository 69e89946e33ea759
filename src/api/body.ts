import { isUtf8 } from 'node:buffer'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Problem } from './problem.ts'

/**
 * Bodies arrive at handlers as text, because payloads are kept as they were written. An empty body is '' with any
 * content type: clients that send none often name one.
 */
export function acceptJsonText(app: FastifyInstance) {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    try {
      done(null, jsonText(request, Buffer.isBuffer(body) ? body : Buffer.from(body)))
    } catch (error) {
      done(error instanceof Error ? error : new Error('not readable', { cause: error }))
    }
  })
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    if (body.length === 0) done(null, '')
    else done(new Problem('unsupported-media-type', 'send Content-Type: application/json'))
  })
}

/** Bodies come as they are, in UTF-8. */
export function refuseEncoding({ headers }: FastifyRequest) {
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity')
    throw new Problem('unsupported-media-type', 'send the body without a Content-Encoding')
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(headers['content-type'] ?? '')?.[1]
  if (charset !== undefined && !/^utf-?8$/i.test(charset))
    throw new Problem('unsupported-media-type', 'send the body in UTF-8')
}

function jsonText(request: FastifyRequest, bytes: Buffer): string {
  refuseEncoding(request)
  if (!isUtf8(bytes)) throw new Problem('invalid-utf8', 'the body has bytes that are not UTF-8')
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
  return bytes.toString('utf8', hasMark ? 3 : 0)
}

/** For routes that take no body: nothing, `{}` and `null` are let pass. */
export function refuseBody(body: unknown) {
  if (body === undefined || body === null) return
  if (typeof body === 'string' && /^\s*(?:\{\s*\}|null)?\s*$/.test(body)) return
  throw new Problem('invalid-request', 'this address takes no body')
}
