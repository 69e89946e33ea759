/** What is put on the wire, and what may come back. */
export type WireRequest = {
  method: string
  bytes: Buffer
  /**
   * A whole request, so that there is one answer to it. Anything else may be answered by none or several, and ends
   * the connection.
   */
  isWhole: boolean
  /** More answers than this would mean that part of it was taken for another request. */
  mostAnswers?: number
}

/** A request as it is written, with its body's length in front unless the headers say how it is sent. */
export function wireRequest(parts: {
  method: string
  path: string
  headers?: readonly string[]
  body?: Buffer
}): WireRequest {
  const { method, path, headers = [], body } = parts
  const lines = [`${method} ${path} HTTP/1.1`, 'Host: 127.0.0.1', ...headers]
  if (body && !headers.some((line) => /^(content-length|transfer-encoding):/i.test(line)))
    lines.push(`Content-Length: ${body.length}`)
  // A path or header is written as the bytes that it is made of.
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'utf8')
  return { method, bytes: body ? Buffer.concat([head, body]) : head, isWhole: true }
}
