import { globSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault, Member, System } from '../trial/fault.ts'

const [library] = globSync('/usr/lib/{*/,}faketime/libfaketime.so.1')

/** Processes whose clock is wrong. Due times, leases, retention and ids go by the database's. */
export const faults: Fault[] = [
  wrongClock('api whose clock is an hour off', ['+1h', '-1h'], ({ apis }) => apis),
  wrongClock('worker whose clock is an hour off', ['+1h', '-1h'], ({ workers }) => workers),
  // Past all partitions, and with everything older than the retention.
  wrongClock('process whose clock is a year off', ['+365d', '-365d'], (all) => [...all.apis, ...all.workers]),
]

function wrongClock(
  kind: string,
  offsets: readonly string[],
  membersOf: (system: System) => readonly Member[],
): Fault {
  return {
    kind,
    transports: ['postgresql', 'rabbitmq'],
    effects: ['exits', 'restarts', 'outage'],
    takesMs: 20_000,
    missing: () => (library ? undefined : 'install faketime (Debian: apt-get install faketime)'),
    async strike(system, random) {
      const member = random.pick(membersOf(system))
      const offset = random.pick(offsets)
      await member.stop()
      await member.start(clockOff(offset))
      await sleep(random.between(3_000, 6_000)) // as long as it lasts
      await member.stop()
      await member.start()
      return { members: [member], detail: offset }
    },
  }
}

/** Only the time of day lies: a wrong clock goes no faster. */
function clockOff(offset: string): Record<string, string> {
  return { LD_PRELOAD: library ?? '', FAKETIME: offset, FAKETIME_DONT_FAKE_MONOTONIC: '1' }
}
