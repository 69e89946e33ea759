import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Member } from '../trial/fault.ts'
import type { RigLine } from './ledger.ts'
import { nowMs } from './machine-clock.ts'
import type { Cleanups } from './system.ts'

const root = join(import.meta.dirname, '../../..')
const program = join(root, 'src/cli/main.ts')

/** What a supervisor waits before it starts a process again. */
const restartAfterMs = 200
/** With a database that is away or full a process is ready when that is back. */
const readyWithinMs = 180_000

export type MemberSpec = {
  name: string
  role: Member['role']
  url: string
  env: Record<string, string>
  /** Where all that its processes say goes. */
  logFile: string
  record: (line: RigLine) => void
}

type How = number | NodeJS.Signals

/** One process of a member. */
type Life = { process: ChildProcess; ready: Promise<void>; ended: Promise<How> }

/** A member that does not run yet. Its processes end with the run. */
export function member(cleanups: Cleanups, spec: MemberSpec): Member {
  const { name, role, url, record } = spec
  let life: Life | undefined
  let restarting: Promise<void> | undefined
  let isWanted = false
  cleanups.after(async () => {
    isWanted = false
    life?.process.kill('SIGKILL')
    await life?.ended
  })
  return { name, role, url, pid: () => life?.process.pid ?? 0, kill, stop, start, ended }

  function kill(signal: NodeJS.Signals): void {
    life?.process.kill(signal)
  }

  async function stop() {
    isWanted = false
    await restarting
    const beganAt = nowMs()
    kill('SIGTERM')
    kill('SIGCONT') // one that stands still hears nothing
    const code = await ended()
    return { code, tookMs: nowMs() - beganAt }
  }

  async function start(more: Record<string, string> = {}): Promise<void> {
    isWanted = true
    if (life === undefined && restarting === undefined) live(more)
    await untilReady()
  }

  async function ended(): Promise<How> {
    return life === undefined ? 0 : life.ended
  }

  /** Whichever of its processes comes to be ready; unless another fault stops it meanwhile, which starts it again then. */
  async function untilReady(): Promise<void> {
    for (const untilMs = nowMs() + readyWithinMs; nowMs() < untilMs; ) {
      if (!isWanted) return
      const isReady = life?.ready.then(() => 'ready' as const)
      const late = sleep(untilMs - nowMs(), undefined, { ref: false })
      const turns = [isReady, life?.ended, restarting, late].filter((turn) => turn !== undefined)
      if ((await Promise.race(turns)) === 'ready') return
    }
    throw new Error(`${name} was not ready within ${readyWithinMs} ms: see ${spec.logFile}`)
  }

  function live(more: Record<string, string>): void {
    const begun = begin(spec, more)
    life = begun
    const pid = begun.process.pid ?? 0
    void begun.ready.then(() => record({ what: 'ready', at: nowMs(), member: name, pid }))
    void begun.ended.then((how) => {
      record({ what: 'ended', at: nowMs(), member: name, pid, how, wanted: !isWanted })
      life = undefined
      if (isWanted) restarting = restart()
    })
  }

  async function restart(): Promise<void> {
    await sleep(restartAfterMs)
    restarting = undefined
    if (isWanted) live({})
  }
}

function begin({ role, env, logFile }: MemberSpec, more: Record<string, string>): Life {
  const output = openSync(logFile, 'a')
  const handle = spawn(process.execPath, [program, role], {
    cwd: root,
    env: { ...env, ...more },
    stdio: ['ignore', output, output, 'ipc'],
  })
  closeSync(output)
  // However the run ends: one that stands still would stay for ever.
  const end = () => handle.kill('SIGKILL')
  process.once('exit', end)
  const { promise: ready, resolve: markReady } = Promise.withResolvers<void>()
  handle.on('message', (message: unknown) => {
    if (typeof message === 'object' && message !== null && 'type' in message && message.type === 'ready')
      markReady()
  })
  const ended = new Promise<How>((resolve, reject) => {
    handle.once('error', reject)
    handle.once('exit', (code, signal) => resolve(code ?? signal ?? -1))
  })
  void ended.then(() => process.off('exit', end))
  return { process: handle, ready, ended }
}
