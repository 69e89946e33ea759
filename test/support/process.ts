import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { after, type TestContext } from 'node:test'

/** A real process of Millrace. */
export type TestProcess = {
  pid: number
  /** Where it answers; empty for a process that does not. */
  url: string
  /** All it has written so far, both streams. */
  output(): string
  kill(signal: NodeJS.Signals): void
  /** Resolves with the exit code, or with the name of the signal that ended it. */
  exited: Promise<number | NodeJS.Signals>
}

export type ProcessOptions = {
  env?: Record<string, string>
  /** How long it may take to be ready. */
  readyWithinMs?: number
  cwd?: string
  /** Another account to run as. Takes root. */
  uid?: number
}

const root = join(import.meta.dirname, '../..')
const program = join(root, 'src/cli/main.ts')

/** Starts `millrace <args>` and waits until it says that it is ready. Killed when the test is over. */
export function startProcess(
  t: TestContext,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<TestProcess> {
  return startScript(t, [program, ...args], options)
}

/** The same for any script that sends `{ type: 'ready' }` to the process that started it. */
export async function startScript(
  t: TestContext,
  script: readonly string[],
  options: ProcessOptions = {},
): Promise<TestProcess> {
  const child = launch(t, script, { ...options, channel: true })
  const url = await readyUrl(child, options.readyWithinMs ?? 30_000)
  return { ...child.process, url }
}

/** Runs `millrace <args>` to its end, with the standard input given. */
export function runProcess(
  t: TestContext,
  args: readonly string[],
  options: ProcessOptions & { input?: string } = {},
): Promise<{ code: number | NodeJS.Signals; stdout: string; stderr: string }> {
  return runScript(t, [program, ...args], options)
}

/** The same for any script. */
export async function runScript(
  t: TestContext,
  script: readonly string[],
  options: ProcessOptions & { input?: string } = {},
): Promise<{ code: number | NodeJS.Signals; stdout: string; stderr: string }> {
  const child = launch(t, script, options)
  child.handle.stdin?.end(options.input ?? '')
  const code = await child.closed
  return { code, stdout: child.stdout(), stderr: child.stderr() }
}

type Launched = {
  handle: ChildProcess
  process: Omit<TestProcess, 'url'>
  /** Resolves later than `exited`: when nobody can write to its streams any more. */
  closed: Promise<number | NodeJS.Signals>
  stdout(): string
  stderr(): string
}

function launch(
  t: TestContext,
  script: readonly string[],
  { env, cwd, uid, channel = false }: ProcessOptions & { channel?: boolean },
): Launched {
  const handle = spawn(process.execPath, script, {
    cwd: cwd ?? root,
    env: { ...inheritedEnvironment(), LOG_FORMAT: 'json', ...env },
    stdio: ['pipe', 'pipe', 'pipe', ...(channel ? (['ipc'] as const) : [])],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  })
  alive.add(handle)
  const exited = endOf(handle, 'exit')
  const closed = endOf(handle, 'close')
  t.after(async () => {
    if (handle.exitCode === null && handle.signalCode === null) handle.kill('SIGKILL')
    await exited
  })
  const said = { stdout: '', stderr: '', both: '' }
  for (const name of ['stdout', 'stderr'] as const)
    handle[name]?.setEncoding('utf8').on('data', (text: string) => {
      said[name] += text
      said.both += text
    })
  return {
    handle,
    process: {
      pid: handle.pid ?? 0,
      output: () => said.both,
      kill: (signal) => void handle.kill(signal),
      exited,
    },
    closed,
    stdout: () => said.stdout,
    stderr: () => said.stderr,
  }
}

/** A hook that fails keeps those after it from running, such as the ones that kill. What is left would keep the run from ending. */
const alive = new Set<ChildProcess>()
after(() => {
  for (const handle of alive)
    if (handle.exitCode === null && handle.signalCode === null) handle.kill('SIGKILL')
})

function endOf(handle: ChildProcess, event: 'exit' | 'close'): Promise<number | NodeJS.Signals> {
  return new Promise((resolve, reject) => {
    handle.once('error', reject)
    handle.once(event, (code: number | null, signal: NodeJS.Signals | null) => resolve(code ?? signal ?? -1))
  })
}

/** The settings of whoever runs the tests are not those of the processes under test. */
function inheritedEnvironment(): Record<string, string> {
  const { PATH = '', HOME = '', NODE_COMPILE_CACHE = '' } = process.env
  return { PATH, HOME, NODE_COMPILE_CACHE }
}

function readyUrl({ handle, process: started }: Launched, readyWithinMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`${why}; it wrote:\n${started.output()}`))
    const timer = setTimeout(() => fail(`not ready within ${readyWithinMs} ms`), readyWithinMs)
    handle.on('message', (message: unknown) => {
      const ready = readyMessage(message)
      if (ready === undefined) return
      clearTimeout(timer)
      resolve(ready.url)
    })
    void started.exited.then((how) => {
      clearTimeout(timer)
      fail(`ended with ${how} before it was ready`)
    })
  })
}

function readyMessage(message: unknown): { url: string } | undefined {
  if (typeof message !== 'object' || message === null) return undefined
  if (!('type' in message) || message.type !== 'ready') return undefined
  return { url: 'url' in message && typeof message.url === 'string' ? message.url : '' }
}
