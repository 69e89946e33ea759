import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type Answer, readAnswers } from './answers.ts'
import type { WireRequest } from './request.ts'

/** A request that was not answered for this long hangs. */
export const hangsAfterMs = 30_000

/** A client that keeps its connection from one whole request to the next. */
export function keptConnection(port: number) {
  let socket: Socket | undefined
  return { ask, close: () => socket?.destroy() }

  /** The one answer to a whole request. */
  async function ask(request: WireRequest): Promise<Answer> {
    const isNew = socket === undefined || socket.destroyed || !socket.writable
    if (isNew) socket = await connected(port)
    try {
      return await exchange(socket!, request)
    } catch (error) {
      socket!.destroy()
      // The server may close a connection that is kept at any moment, which says nothing about the request.
      if (!isNew && error instanceof ClosedError) return ask(request)
      throw error
    }
  }
}

class ClosedError extends Error {}

/** All the answers to bytes that are not one whole request, until the server closes the connection. */
export async function answersTo(port: number, { bytes }: WireRequest): Promise<Answer[]> {
  const socket = await connected(port)
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  socket.end(bytes)
  const timer = setTimeout(() => socket.destroy(new Error('hangs')), hangsAfterMs)
  await once(socket, 'close').catch(() => {})
  clearTimeout(timer)
  if (socket.errored?.message === 'hangs') throw new Error(`no end within ${hangsAfterMs} ms`)
  return readAnswers(Buffer.concat(chunks)).answers
}

async function connected(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
  socket.on('error', () => {}) // whoever waits for an answer hears of it
  await once(socket, 'connect')
  return socket
}

function exchange(socket: Socket, { bytes, method }: WireRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let received: Buffer = Buffer.alloc(0)
    const timer = setTimeout(() => done(new Error(`no answer within ${hangsAfterMs} ms`)), hangsAfterMs)
    const onData = (chunk: Buffer) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
      try {
        const [answer] = readAnswers(received, method).answers
        if (!answer) return
        if (answer.headers.get('connection') === 'close') socket.destroy()
        done(undefined, answer)
      } catch (error) {
        done(error)
      }
    }
    const onError = (error: Error) => done(new ClosedError('closed', { cause: error }))
    const onEnd = () => done(new ClosedError('closed without an answer'))
    socket.on('data', onData).on('error', onError).on('end', onEnd).on('close', onEnd)
    socket.write(bytes)

    function done(error: unknown, answer?: Answer) {
      clearTimeout(timer)
      socket.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', onError)
      if (answer) resolve(answer)
      else reject(error)
    }
  })
}
