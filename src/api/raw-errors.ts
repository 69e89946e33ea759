import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { Problem, type ProblemCode, problemText, problemType } from './problem.ts'

const parserCodes: Record<string, [ProblemCode, string]> = {
  HPE_HEADER_OVERFLOW: ['headers-too-large', 'the request line and headers have more than 16 KiB'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['body-too-large', 'the chunk extensions are too large'],
  ERR_HTTP_REQUEST_TIMEOUT: ['request-timeout', 'the request did not arrive in time'],
}

const patient = new WeakSet<Duplex>()

/** The request that is arriving on this connection may take longer than others, until what this answers is called. */
export function mayTakeItsTime(socket: Duplex): () => void {
  patient.add(socket)
  return () => void patient.delete(socket)
}

/** Answers what Node's HTTP parser refuses, which never becomes a request. */
export function clientErrorReply(error: NodeJS.ErrnoException, socket: Duplex) {
  // Node tells of this once for each request, and leaves it to us what becomes of the connection.
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && patient.has(socket)) return
  if (error.code === 'ECONNRESET' || !socket.writable || hasBegunToAnswer(socket)) {
    socket.destroy()
    return
  }
  const [code, detail] = parserCodes[error.code ?? ''] ?? ['bad-request', 'this is not well-formed HTTP/1.1']
  socket.end(rawReply(new Problem(code, detail)))
}

/** Node's own answers to these have no body. */
export function answerOddRequests(server: Server) {
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    const problem = new Problem('expectation-failed', 'the only expectation that is known is 100-continue')
    const text = problemText(problem)
    response.writeHead(problem.status, { ...headersOf(text), connection: 'close' }).end(text)
  })
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => socket.destroy())
    socket.end(rawReply(new Problem('method-not-allowed', 'this is no proxy', { headers: { allow: 'GET' } })))
  })
}

/** A second status line in the middle of an answer would be read as part of it. */
function hasBegunToAnswer(socket: Duplex): boolean {
  const response: unknown = Reflect.get(socket, '_httpMessage')
  return typeof response === 'object' && response !== null && Reflect.get(response, 'headersSent') === true
}

function rawReply(problem: Problem): string {
  const text = problemText(problem)
  const headers = { ...headersOf(text), ...problem.headers, connection: 'close' }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\n${lines.join('')}\r\n${text}`
}

function headersOf(text: string): Record<string, string> {
  return {
    'content-type': `${problemType}; charset=utf-8`,
    'content-length': String(Buffer.byteLength(text)),
  }
}
