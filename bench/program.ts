import { type ChildProcess, fork } from 'node:child_process'
import type { Delay, Working } from './contestant.ts'

/** A process of the benchmark that says what its handler does. */
export type Program = {
  pid: number
  /** Where it answers, if it said so. */
  url: string
  working: Working
  call<T>(call: string, ...args: unknown[]): Promise<T>
  stop(): Promise<void>
  /** With -9. */
  kill(): Promise<void>
}

type Said = {
  type?: string
  id?: number
  result?: unknown
  error?: string
  atMs?: number
  delays?: Delay[]
  url?: string
}

type Options = {
  args?: readonly string[]
  env?: NodeJS.ProcessEnv
  /** What runs the file, when it is not Node.js: it finds its end of the channel, JSON a line, in NODE_CHANNEL_FD. */
  execPath?: string | undefined
}

/** Starts a program and resolves when it is ready. */
export async function startProgram(
  file: string,
  { args = [], env, execPath }: Options = {},
): Promise<Program> {
  const child = fork(file, args, {
    env: env ?? process.env,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    ...(execPath && { execPath, execArgv: [] }),
  })
  const ready = Promise.withResolvers<string>()
  const first = Promise.withResolvers<number>()
  const all = Promise.withResolvers<void>()
  const delays: Delay[] = []
  const calls = new Map<number, PromiseWithResolvers<unknown>>()
  child.once('exit', (code, signal) => {
    const error = new Error(`${file} ended with ${code ?? signal}`)
    for (const waiting of [ready, first, all, ...calls.values()]) waiting.reject(error)
  })
  for (const { promise } of [first, all]) promise.catch(() => {}) // not everybody waits for them
  child.on('message', (said: Said) => {
    if (said.type === 'ready') ready.resolve(said.url ?? '')
    if (said.type === 'first') first.resolve(said.atMs ?? Number.NaN)
    if (said.type === 'all') all.resolve()
    if (said.type === 'delays') delays.push(...(said.delays ?? []))
    if (said.id === undefined) return
    if (said.error === undefined) calls.get(said.id)?.resolve(said.result)
    else calls.get(said.id)?.reject(new Error(said.error))
    calls.delete(said.id)
  })
  const url = await ready.promise
  return {
    pid: child.pid!,
    url,
    working: { firstAtMs: first.promise, all: all.promise, delays },
    call: <T>(call: string, ...args: unknown[]) => callOf(child, calls, { call, args }) as Promise<T>,
    stop: () => ended(child, 'SIGTERM'),
    kill: () => ended(child, 'SIGKILL'),
  }
}

let lastId = 0

function callOf(
  child: ChildProcess,
  calls: Map<number, PromiseWithResolvers<unknown>>,
  { call, args }: { call: string; args: unknown[] },
): Promise<unknown> {
  lastId += 1
  const answer = Promise.withResolvers<unknown>()
  calls.set(lastId, answer)
  child.send({ id: lastId, call, args })
  return answer.promise
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill(signal)
  const late = setTimeout(() => child.kill('SIGKILL'), 10_000)
  await gone
  clearTimeout(late)
}
