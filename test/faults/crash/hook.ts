import { type Channel, tracingChannel } from 'node:diagnostics_channel'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type CrashPoint, readTrap, type Trap, trapFileOf } from './point.ts'

// Loaded into members with `--import`. On SIGUSR2 it sets a trap at a point of the product's own traces, and the
// process ends with SIGKILL when it gets there.

// The members themselves and none of the processes that they start.
if (process.argv[1]?.endsWith('src/cli/main.ts')) process.on('SIGUSR2', setTrap)

function setTrap(): void {
  const file = trapFileOf(process.pid)
  const trap = readTrap(readFileSync(file, 'utf8'))
  let reached = 0
  channelOf(trap.point).subscribe((message) => {
    if (trap.point.name !== undefined && trap.point.name !== nameOf(message)) return
    reached += 1
    if (reached !== trap.nth) return
    // What was to be sent is written at the end of this turn.
    if (trap.point.moment === 'during') setImmediate(() => crash(trap))
    else crash(trap)
  })
  rmSync(file)
}

function channelOf({ trace, moment }: CrashPoint): Channel {
  const { start, end, asyncStart } = tracingChannel(`millrace.${trace}`)
  if (moment === 'before') return start
  return moment === 'during' || trace === 'receive' ? end : asyncStart
}

function nameOf(message: unknown): unknown {
  return typeof message === 'object' && message !== null && 'name' in message ? message.name : undefined
}

/** Of several members with the same trap, the first to get there ends. Without its folder a trap does nothing. */
function crash({ hitFile }: Trap): void {
  try {
    writeFileSync(hitFile, `${process.pid}`, { flag: 'wx' })
  } catch {
    return
  }
  process.kill(process.pid, 'SIGKILL')
}
