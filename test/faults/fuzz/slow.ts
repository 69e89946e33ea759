import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { complaintAbout, readAnswers } from './answers.ts'

const betweenBytesMs = 3_000
const head =
  'POST /tasks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n'

/**
 * So many clients at once that send a byte now and then: one half never comes to the end of its headers, the other
 * of its body. Whoever is thrown out comes back.
 */
export function slowClients(port: number, count: number) {
  const stopping = new AbortController()
  const complaints: string[] = []
  let thrownOut = 0
  const open = new Set<Socket>()
  const done = Array.from({ length: count }, (_, i) => visit(i))
  return {
    complaints,
    thrownOut: () => thrownOut,
    open: () => open.size,
    async stop() {
      stopping.abort()
      for (const socket of open) socket.destroy()
      await Promise.all(done)
    },
  }

  async function visit(number: number) {
    // Not all in the same moment.
    await sleep((number / count) * betweenBytesMs, undefined, { signal: stopping.signal }).catch(() => {})
    while (!stopping.signal.aborted) await once(number % 2 === 0 ? `${head}X: ` : `${head}\r\n`)
  }

  async function once(opening: string) {
    const socket = connect({ port, host: '127.0.0.1' })
    const chunks: Buffer[] = []
    open.add(socket)
    socket.on('data', (chunk) => chunks.push(chunk)).on('error', () => {})
    const closed = new AbortController()
    socket.once('close', () => closed.abort())
    const either = AbortSignal.any([closed.signal, stopping.signal])
    socket.write(opening)
    while (!either.aborted) {
      await sleep(betweenBytesMs, undefined, { signal: either }).catch(() => {})
      if (socket.writable) socket.write('x')
    }
    open.delete(socket)
    socket.destroy()
    if (!stopping.signal.aborted) judge(Buffer.concat(chunks))
  }

  function judge(received: Buffer) {
    thrownOut++
    for (const answer of readAnswers(received).answers) {
      const complaint = complaintAbout(answer, 'POST')
      if (complaint !== undefined) complaints.push(`to a slow client: ${complaint}`)
    }
  }
}
