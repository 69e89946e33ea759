import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import type { Account } from './account.ts'

/** A process that does not outlive this one. */
export type Tethered = {
  pid: number | undefined
  /** Resolves when it has ended, with how. */
  ended: Promise<string>
  /** Asks it to end, in the same way in which the death of this process would. */
  release(): void
}

export type TetherOptions = {
  /** What the process gets when this one is gone, as `kill -s` takes it. */
  signal: 'INT' | 'TERM' | 'KILL'
  cwd?: string
  env?: Record<string, string>
  /** Where its output goes: a file descriptor, or nowhere. */
  output?: number
  account?: Account | undefined
}

// A shell stands between: its standard input is a pipe from us, which the system closes however we die. It is a
// session of its own, so a terminal's Ctrl-C does not reach the process before we have asked it to end.
const watchInput = 'exec 3<&0; signal=$1; shift'
const onEnd = '{ while read -r _; do :; done <&3; kill -s "$signal" "$pid"; } & watch=$!'
const startScript = `${watchInput}
"$@" </dev/null 3<&- & pid=$!
${onEnd}
wait "$pid"; code=$?
kill "$watch" 2>/dev/null
exit "$code"`
const adoptScript = `${watchInput}; pid=$1
${onEnd}
while kill -0 "$pid" 2>/dev/null; do sleep 1; done
kill "$watch" 2>/dev/null`

/** Starts a program that gets `signal` when this process ends, even by `kill -9`. */
export function startTethered(command: string, args: readonly string[], options: TetherOptions): Tethered {
  if (process.platform === 'win32') return tetheredDirectly(command, args, options)
  return tether(startScript, [command, ...args], options)
}

/** Ties a process that runs already to the life of this one. */
export function adoptTethered(pid: number, options: TetherOptions): Tethered {
  return { ...tether(adoptScript, [String(pid)], options), pid }
}

function tether(script: string, args: readonly string[], options: TetherOptions): Tethered {
  const shell = spawn('/bin/sh', ['-c', script, 'millrace-tether', options.signal, ...args], {
    ...spawnOptions(options),
    stdio: stdioOf('pipe', options),
    detached: true,
  })
  // Written to by nobody: an error here is the shell's end, which `ended` reports.
  shell.stdin?.on('error', () => {})
  return { pid: shell.pid, ended: endOf(shell), release: () => shell.stdin?.end() }
}

/** Without a POSIX shell a process that is left over is found and adopted by the next start. */
function tetheredDirectly(command: string, args: readonly string[], options: TetherOptions): Tethered {
  const child = spawn(command, args, {
    ...spawnOptions(options),
    stdio: stdioOf('ignore', options),
    windowsHide: true,
  })
  return { pid: child.pid, ended: endOf(child), release: () => child.kill() }
}

function spawnOptions({ cwd, env, account }: TetherOptions) {
  return {
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
    ...(account === undefined ? {} : { uid: account.uid, gid: account.gid }),
  }
}

function stdioOf(input: 'pipe' | 'ignore', { output }: TetherOptions): StdioOptions {
  return [input, output ?? 'ignore', output ?? 'ignore']
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) => resolve(signal ? `killed by ${signal}` : `exit code ${code}`))
  })
}
