import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { until } from '../../support/until.ts'
import type { Member } from '../trial/fault.ts'
import { type Trap, trapFileOf, trapText } from './point.ts'

export type TrapSetter = {
  /** Resolves when each has the trap in the process that runs now. */
  set(members: readonly Member[]): Promise<void>
  /** Resolves with the member whose process that was, when that has ended. */
  fallen(pid: number): Promise<Member>
}

/** Sets one trap into running members, and again into those that have come to be other processes. */
export function trapSetter(trap: Trap): TrapSetter {
  const owners = new Map<number, Member>()
  return { set, fallen }

  async function set(members: readonly Member[]): Promise<void> {
    for (const member of members) if (owners.get(member.pid()) !== member) await setInto(member)
  }

  async function setInto(member: Member): Promise<void> {
    await member.start()
    const pid = member.pid()
    const file = trapFileOf(pid)
    writeFileSync(file, trapText(trap))
    owners.set(pid, member)
    member.kill('SIGUSR2')
    try {
      await until(() => !existsSync(file) || member.pid() !== pid, { what: `a trap in ${member.name}` })
    } finally {
      rmSync(file, { force: true })
    }
  }

  async function fallen(pid: number): Promise<Member> {
    const member = owners.get(pid)
    if (member === undefined) throw new Error(`nobody set a trap for process ${pid}`)
    await until(() => member.pid() !== pid, { what: `the end of ${member.name}` })
    return member
  }
}
