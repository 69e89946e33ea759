import { problems } from '../../../src/api/problem.ts'

export type Answer = { status: number; headers: ReadonlyMap<string, string>; body: string }

/** The answers at the beginning of what a server has sent, and where the rest begins, which is not a whole one yet. */
export function readAnswers(bytes: Buffer, method = ''): { answers: Answer[]; rest: Buffer } {
  const answers: Answer[] = []
  let rest = bytes
  for (;;) {
    const read = readAnswer(rest, method)
    if (!read) return { answers, rest }
    rest = rest.subarray(read.length)
    // 100 Continue comes before the answer.
    if (read.answer.status >= 200) answers.push(read.answer)
  }
}

function readAnswer(bytes: Buffer, method: string): { answer: Answer; length: number } | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const [first = '', ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n')
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1] ?? Number.NaN)
  if (Number.isNaN(status)) throw new Error(`this is no answer: ${first.slice(0, 200)}`)
  const headers = new Map(lines.map(headerOf))
  const at = headEnd + 4
  const hasNoBody = method === 'HEAD' || status < 200 || status === 204 || status === 304
  if (hasNoBody) return { answer: { status, headers, body: '' }, length: at }
  if (headers.get('transfer-encoding') === 'chunked') return chunkedAnswer(bytes, at, { status, headers })
  const end = at + Number(headers.get('content-length') ?? 0)
  return bytes.length < end
    ? undefined
    : { answer: { status, headers, body: bytes.toString('utf8', at, end) }, length: end }
}

function headerOf(line: string): [name: string, value: string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
}

function chunkedAnswer(bytes: Buffer, from: number, head: Omit<Answer, 'body'>) {
  const chunks: Buffer[] = []
  for (let at = from; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16)
    const end = lineEnd + 2 + size
    if (bytes.length < end + 2) return undefined
    if (size === 0) return { answer: { ...head, body: Buffer.concat(chunks).toString() }, length: end + 2 }
    chunks.push(bytes.subarray(lineEnd + 2, end))
    at = end + 2
  }
}

const codes: Record<string, { status: number } | undefined> = problems

/** What is wrong with an answer: a failure of the server, or a refusal that is no complete problem. */
export function complaintAbout({ status, headers, body }: Answer, method: string): string | undefined {
  if (status >= 500) return `answered ${status}: ${body}`
  if (status < 400) return undefined
  if (!headers.get('content-type')?.startsWith('application/problem+json'))
    return `${status} is no problem+json`
  return method === 'HEAD' ? undefined : complaintAboutProblem(status, body)
}

function complaintAboutProblem(status: number, body: string): string | undefined {
  try {
    const problem = JSON.parse(body) as Record<string, unknown>
    const isRight =
      problem.status === status &&
      codes[String(problem.code)]?.status === status &&
      problem.type === `urn:millrace:problem:${problem.code}` &&
      typeof problem.detail === 'string'
    return isRight ? undefined : `${status} with an incomplete problem: ${body}`
  } catch {
    return `${status} with a body that is no JSON: ${body}`
  }
}
