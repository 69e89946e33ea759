import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** `during`: what it is about is on its way, and nobody will hear the answer. */
export type Moment = 'before' | 'during' | 'after'

/** A point of the product's traces. Without a name it is any of its trace. */
export type CrashPoint = { moment: Moment; trace: string; name: string | undefined }

/** Ends a process when it gets to a point for the `nth` time. `hitFile` then holds the number of the process. */
export type Trap = { point: CrashPoint; nth: number; hitFile: string }

/** Reads `after statement tasks.submit`. */
export function readCrashPoint(text: string): CrashPoint {
  const [, moment, trace, name] = text.match(/^(before|during|after) ([a-z]+)(?: (.+))?$/) ?? []
  if (!moment || !trace) throw new Error(`"${text}" is no crash point, such as: after statement tasks.submit`)
  return { moment: moment as Moment, trace, name }
}

/** Where a process finds its trap when it gets SIGUSR2. The file goes when the trap is set. */
export function trapFileOf(pid: number): string {
  return join(tmpdir(), `millrace-trap-${pid}`)
}

export function trapText(trap: Trap): string {
  return JSON.stringify(trap)
}

export function readTrap(text: string): Trap {
  return JSON.parse(text) as Trap // written by trapText
}
