import { globSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault, Member } from '../fault.ts'

const [library] = globSync('/usr/lib/{*/,}faketime/libfaketime.so.1')
const goesOnMs = [6_000, 10_000] as const

/** Processes whose clock is wrong. Due times, leases and retention go by the database's. */
export const faults: Fault[] = [
  skewed('worker whose clock is an hour ahead', 'worker', '+1h'),
  skewed('worker whose clock is an hour behind', 'worker', '-1h'),
  skewed('api whose clock is an hour ahead', 'api', '+1h'),
  skewed('api whose clock is an hour behind', 'api', '-1h'),
  // More than any partition reaches ahead, and than the retention reaches back.
  skewed('api whose clock is a year ahead', 'api', '+365d'),
]

function skewed(kind: string, role: Member['role'], offset: string): Fault {
  return {
    kind,
    transports: ['postgresql', 'rabbitmq'],
    effects: ['exits', 'restarts', 'outage'],
    takesMs: 30_000,
    missing: () => (library ? undefined : 'install faketime (Debian: apt-get install faketime)'),
    async strike({ apis, workers }, random) {
      const member = random.pick(role === 'api' ? apis : workers)
      await member.stop()
      await member.start(clockOff(offset))
      await sleep(random.between(...goesOnMs)) // as long as it lasts
      await member.stop()
      await member.start()
      return { members: [member] }
    },
  }
}

/** Only the time of day lies: a wrong clock goes no faster. */
function clockOff(offset: string): Record<string, string> {
  return { LD_PRELOAD: library ?? '', FAKETIME: offset, FAKETIME_DONT_FAKE_MONOTONIC: '1' }
}
