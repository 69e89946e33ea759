import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault, Member } from '../trial/fault.ts'

const transports = ['postgresql', 'rabbitmq'] as const

/** Members that stand still, which others leave alone. */
const frozenMembers = new Set<Member>()

/** Processes that die, stand still, or are replaced. */
export const faults: Fault[] = [
  {
    kind: 'api kill -9',
    transports,
    effects: ['exits', 'outage'],
    strike: async ({ apis }, random) => killed([random.pick(awake(apis))]),
  },
  {
    kind: 'worker kill -9',
    transports,
    effects: ['exits', 'restarts'],
    strike: async ({ workers }, random) => killed([random.pick(awake(workers))]),
  },
  {
    kind: 'all workers kill -9',
    transports,
    effects: ['exits', 'restarts'],
    strike: async ({ workers }) => killed(awake(workers)),
  },
  {
    kind: 'api SIGSTOP and SIGCONT',
    transports,
    effects: ['outage'],
    strike: async ({ apis }, random) => frozen(random.pick(awake(apis)), random.between(500, 4_000)),
  },
  {
    kind: 'worker SIGSTOP and SIGCONT',
    transports,
    effects: [],
    strike: async ({ workers }, random) => frozen(random.pick(awake(workers)), random.between(200, 3_000)),
  },
  {
    kind: 'worker SIGSTOP for three leases',
    transports,
    effects: ['restarts'],
    takesMs: 45_000,
    strike: async ({ workers, leaseMs }, random) => frozen(random.pick(awake(workers)), 3 * leaseMs),
  },
  {
    kind: 'api rolling restart',
    transports,
    effects: ['exits', 'outage'],
    strike: async ({ apis }) => rolled(awake(apis)),
  },
  {
    kind: 'worker rolling restart',
    transports,
    effects: ['exits', 'restarts'],
    strike: async ({ workers }) => rolled(awake(workers)),
  },
]

function awake(members: readonly Member[]): Member[] {
  return members.filter((member) => !frozenMembers.has(member))
}

/** Resolves when they run again. */
async function killed(members: readonly Member[]) {
  const ended = members.map((member) => member.ended())
  for (const member of members) member.kill('SIGKILL')
  await Promise.all(ended)
  await Promise.all(members.map((member) => member.start()))
  return { members }
}

async function frozen(member: Member, ms: number) {
  frozenMembers.add(member)
  member.kill('SIGSTOP')
  await sleep(ms)
  member.kill('SIGCONT')
  frozenMembers.delete(member)
  return { members: [member] }
}

async function rolled(members: readonly Member[]) {
  for (const member of members) {
    await member.stop()
    await member.start()
  }
  return { members }
}
