// Just enough of PostgreSQL's protocol (its manual, chapter "Frontend/Backend Protocol"): messages are a type of one
// byte, a length of four that counts itself, and a body. Only what opens a connection has no type.

/** A message of the stream: its type, empty for one that opens a connection, and all of its bytes. */
export type Message = { type: string; bytes: Buffer }

/** Cuts a stream into messages, wherever its pieces begin and end. A client's begins with those that have no type. */
export function messageReader({ opens }: { opens: boolean }): (bytes: Buffer) => Message[] {
  let rest: Buffer = Buffer.alloc(0)
  let isOpening = opens

  return (bytes) => {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes])
    const messages: Message[] = []
    for (let message = next(); message; message = next()) messages.push(message)
    return messages
  }

  function next(): Message | undefined {
    const head = isOpening ? 0 : 1
    if (rest.length < head + 4) return undefined
    const end = head + rest.readUInt32BE(head)
    if (rest.length < end) return undefined
    const message = { type: isOpening ? '' : String.fromCharCode(rest[0]!), bytes: rest.subarray(0, end) }
    rest = rest.subarray(end)
    if (isOpening && !asksForEncryption(message)) isOpening = false
    return message
  }
}

const sslRequest = 80877103
const gssRequest = 80877104

/** After such a question the client opens again. */
function asksForEncryption({ bytes }: Message): boolean {
  return bytes.length === 8 && [sslRequest, gssRequest].includes(bytes.readUInt32BE(4))
}

/** Of a Bind message, the name of the statement that is about to be executed. */
export function boundStatement({ type, bytes }: Message): string | undefined {
  if (type !== 'B') return undefined
  const portalEnd = bytes.indexOf(0, 5)
  return bytes.toString('utf8', portalEnd + 1, bytes.indexOf(0, portalEnd + 1))
}

/** Of a simple query, its text. */
export function queryText({ type, bytes }: Message): string | undefined {
  return type === 'Q' ? bytes.toString('utf8', 5, bytes.length - 1) : undefined
}

/** Whether the server is done with what it was sent. */
export function isReadyForQuery({ type }: Message): boolean {
  return type === 'Z'
}

export function isError({ type }: Message): boolean {
  return type === 'E'
}

/** Whether the message says of a statement that it is done, with not a row. */
export function didNothing({ type, bytes }: Message): boolean {
  return type === 'C' && / 0$/.test(bytes.toString('latin1', 5, bytes.length - 1))
}
