import { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ChannelModel, connect } from 'amqplib'
import { BrokerUnavailableError } from '../domain/errors.ts'
import type { Log } from '../domain/ports.ts'

export type RabbitSettings = {
  /** The nodes of one cluster: when one does not answer, the next is tried. */
  urls: readonly string[]
  log: Log
}

export type Link = {
  connected(): boolean
  /** Drops the connection, so that another takes its place. */
  reset(reason: string): void
  stop(): Promise<void>
}

const firstPauseMs = 100
/** Short, because a look at a closed port costs nothing and everybody waits for the broker to come back. */
const longestPauseMs = 2_000
const handshakeMs = 5_000
const answerMs = 10_000
export const goodbyeMs = 2_000
const heartbeatSeconds = 10

/**
 * Keeps one connection open, whatever happens to the broker, and hands each new one to `use`; it counts as connected
 * once `use` has resolved. `gone` aborts when that connection is lost. Never throws.
 */
export function keepConnected(
  { urls, log, name }: RabbitSettings & { name: string },
  use: (model: ChannelModel, gone: AbortSignal) => Promise<void>,
): Link {
  const stopping = new AbortController()
  let live: ChannelModel | undefined
  let complaint = ''
  const running = run()
  return {
    connected: () => live !== undefined,
    reset: (reason) => live && socketOf(live)?.destroy(new Error(reason)),
    async stop() {
      stopping.abort()
      await running
    },
  }

  async function run() {
    let turn = Math.floor(Math.random() * urls.length)
    for (let failures = 0; !stopping.signal.aborted; ) {
      const lasted = await hold(urls[turn++ % urls.length]!)
      failures = lasted ? 1 : failures + 1
      if (lasted || failures % urls.length === 0) await pause(failures / urls.length, stopping.signal)
    }
  }

  /** Answers whether the connection was of some use before it ended. */
  async function hold(url: string): Promise<boolean> {
    let upSince = Number.POSITIVE_INFINITY
    try {
      const model = await openUnlessStopped(url)
      if (!model) return false
      try {
        const gone = new AbortController()
        const ended = ending(model, gone)
        await Promise.race([within(use(model, gone.signal), `set up ${name}`), ended])
        live = model
        upSince = performance.now()
        up(url)
        await unlessAborted(stopping.signal, ended)
      } finally {
        live = undefined
        await close(model)
      }
    } catch (error) {
      if (!stopping.signal.aborted) complain(url, error)
    }
    return performance.now() - upSince > 1_000
  }

  async function openUnlessStopped(url: string): Promise<ChannelModel | undefined> {
    const opening = open(url, name)
    const model = await unlessAborted(stopping.signal, opening)
    if (!model) opening.then(close, () => {}) // it may still succeed, or time out
    return model
  }

  function up(url: string) {
    complaint = ''
    log.info({ broker: hostOf(url), connection: name }, 'connected to RabbitMQ')
  }

  function complain(url: string, error: unknown) {
    const reason = reasonOf(error)
    if (reason !== complaint) {
      log.warn({ broker: hostOf(url), connection: name, reason }, 'no connection to RabbitMQ, trying again')
    }
    complaint = reason
  }
}

/** Milliseconds double from the first pause to the longest, spread so that processes do not return together. */
export async function pause(failures: number, signal: AbortSignal) {
  const ms =
    Math.min(longestPauseMs, firstPauseMs * 2 ** Math.max(0, failures - 1)) * (0.5 + Math.random() / 2)
  await sleep(ms, undefined, { signal }).catch(() => {})
}

/** The answer of the broker, or an error when it takes too long: a call can wait for ever on a connection that lives. */
export async function within<T>(answer: Promise<T>, what: string, ms = answerMs): Promise<T> {
  const timer = new AbortController()
  const late = sleep(ms, undefined, { signal: timer.signal }).then(() => {
    throw new BrokerUnavailableError(`RabbitMQ took longer than ${ms} ms to ${what}`)
  })
  late.catch(() => {})
  try {
    return await Promise.race([answer, late])
  } finally {
    timer.abort()
  }
}

/** The socket below a connection, which the library's types leave out. */
export function socketOf(model: ChannelModel): Socket | undefined {
  const { connection } = model
  return 'stream' in connection && connection.stream instanceof Socket ? connection.stream : undefined
}

export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ')
  return error instanceof Error ? error.message : String(error)
}

/** Without the password. */
const hostOf = (url: string) => (URL.canParse(url) ? new URL(url).host : 'an invalid URL')

async function open(url: string, name: string): Promise<ChannelModel> {
  const model = await connect(withHeartbeat(url), {
    timeout: handshakeMs,
    noDelay: true,
    keepAlive: true,
    keepAliveDelay: heartbeatSeconds * 1000,
    clientProperties: { connection_name: name },
  })
  model.on('error', () => {}) // every error is followed by 'close', which carries it
  return model
}

function withHeartbeat(url: string): string {
  const parsed = new URL(url)
  if (!parsed.searchParams.has('heartbeat')) parsed.searchParams.set('heartbeat', String(heartbeatSeconds))
  return parsed.href
}

/** Rejects when the connection has ended, and aborts `gone` in the same turn. */
function ending(model: ChannelModel, gone: AbortController): Promise<never> {
  const ended = new Promise<never>((_, reject) => {
    model.once('close', (error) => {
      gone.abort()
      reject(error ?? new Error('the connection was closed'))
    })
  })
  ended.catch(() => {}) // when it ends while nobody waits for it
  return ended
}

async function close(model: ChannelModel) {
  // Rejects when the connection has ended by itself: then there is nobody to say goodbye to.
  await within(model.close(), 'close the connection', goodbyeMs).catch(() => {})
  socketOf(model)?.destroy()
}

/** What the promise answers, or undefined as soon as the signal aborts. */
async function unlessAborted<T>(signal: AbortSignal, answer: Promise<T>): Promise<T | undefined> {
  const aborted = Promise.withResolvers<undefined>()
  const wake = () => aborted.resolve(undefined)
  if (signal.aborted) wake()
  signal.addEventListener('abort', wake)
  try {
    return await Promise.race([answer, aborted.promise])
  } finally {
    signal.removeEventListener('abort', wake)
  }
}
