import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { request as secureRequest } from 'node:https'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { refusal } from '../client/http.ts'
import { ConnectionError } from '../client/index.ts'

export type ImportTarget = { url: string; apiKey: string | undefined }

/** An import under way: what the server answers comes while the body is sent, and each waits for the other. */
export type ImportStream = {
  batchId: string
  /** The answers as they come; fails with ConnectionError where the connection breaks. */
  answers: AsyncGenerator<Buffer>
  /** Resolves when all is sent; fails with what reading the body failed with. */
  sent: Promise<void>
}

/** Begins to import what `body` reads. Fails with MillraceError, ConnectionError among them. */
export async function openImport({ url, apiKey }: ImportTarget, body: Readable): Promise<ImportStream> {
  const address = `${url.replace(/\/+$/, '')}/tasks/import`
  const headers = {
    'content-type': 'application/x-ndjson',
    ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}),
  }
  const call = (address.startsWith('https:') ? secureRequest : request)(address, { method: 'POST', headers })
  const broken = (cause: unknown) => new ConnectionError(`no answer from ${url}: ${messageOf(cause)}`, cause)
  call.flushHeaders() // the answer's head comes before the body's first line
  const sent = pipeline(body, call)
  sent.catch(() => {}) // whoever waits for it hears of it
  const [response] = (await once(call, 'response').catch((cause) => {
    body.destroy()
    throw body.errored && body.errored !== cause ? body.errored : broken(cause)
  })) as [IncomingMessage]
  if (response.statusCode !== 200) {
    const refused = await text(response).catch(() => '')
    body.destroy()
    throw refusal({ ok: false, status: response.statusCode ?? 0, headers: new Headers(), text: refused })
  }
  return { batchId: String(response.headers['millrace-batch-id']), answers: chunksOf(response, broken), sent }
}

async function* chunksOf(response: IncomingMessage, broken: (cause: unknown) => Error) {
  try {
    yield* response as AsyncIterable<Buffer>
  } catch (cause) {
    throw broken(cause)
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
