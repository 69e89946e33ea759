import { setTimeout as sleep } from 'node:timers/promises'
import type { Link } from '../system/link.ts'
import { moves } from '../system/moves.ts'
import type { Effect, Fault, Member, Random, System, Transport } from '../trial/fault.ts'

const both = ['postgresql', 'rabbitmq'] as const
const commitWithinMs = 60_000
/** Longer than anybody waits for an answer of the database or of the broker. */
const halfOpenMs = 40_000

/** What lies between the processes breaks, and they do not. */
export const faults: Fault[] = [
  ...moves.flatMap((move) => [cutCommit(move, 'before'), cutCommit(move, 'after')]),
  linkCut('database', { transports: both, effects: ['outage', 'restarts'] }),
  linkCut('broker', { transports: ['rabbitmq'], effects: [] }),
  halfOpen('worker', 'database', { transports: both, effects: ['restarts'] }),
  halfOpen('worker', 'broker', { transports: ['rabbitmq'], effects: [] }),
  halfOpen('api', 'database', { transports: both, effects: ['outage'] }),
  halfOpen('api', 'broker', { transports: ['rabbitmq'], effects: [] }),
  {
    kind: 'slow links',
    transports: both,
    effects: [],
    strike: async (system, random) => {
      const links = [system.database.link, system.broker?.link]
      const delayMs = random.between(20, 200)
      for (const link of links) link?.delay(delayMs)
      await sleep(random.between(2_000, 6_000))
      for (const link of links) link?.delay(0)
      return { detail: `${delayMs} ms each way` }
    },
  },
]

type Place = 'database' | 'broker'
type Kind = { transports: readonly Transport[]; effects: readonly Effect[] }

function cutCommit({ name, statements, of }: (typeof moves)[number], side: 'before' | 'after'): Fault {
  return {
    kind: `connection cut ${side} the commit of ${name}`,
    transports: both,
    effects: effectsOf({ name, of }),
    async strike(system, random) {
      const { link } = system.database
      const signal = AbortSignal.timeout(commitWithinMs)
      const times = random.between(1, 3)
      for (let n = 0; n < times; n++) await link.cutCommit({ side, statements }, signal)
      return { members: of === 'api' ? system.apis : system.workers, detail: `${times} times` }
    },
  }
}

/** A client cannot be told what became of its wish; a worker repeats all but a claim, which it gives back. */
function effectsOf({ name, of }: Pick<(typeof moves)[number], 'name' | 'of'>): Effect[] {
  if (of === 'api') return ['outage']
  return name === 'claim' ? ['restarts'] : []
}

function linkCut(place: Place, kind: Kind): Fault {
  return {
    kind: `all connections to the ${place} cut`,
    ...kind,
    async strike(system) {
      linkTo(system, place).cut()
      return undefined
    },
  }
}

/** Connections of one process are dead, and neither it nor the server is told; new ones work. */
function halfOpen(role: Member['role'], place: Place, kind: Kind): Fault {
  return {
    kind: `half-open links of a process: ${role} and ${place}`,
    takesMs: halfOpenMs,
    ...kind,
    async strike(system, random: Random) {
      const link = linkTo(system, place)
      const member = random.pick(role === 'api' ? system.apis : system.workers)
      link.freeze(member.name)
      link.thaw(member.name)
      await sleep(halfOpenMs)
      link.bury(member.name)
      return { members: [member] }
    },
  }
}

function linkTo({ database, broker }: System, place: Place): Link {
  const server = place === 'database' ? database : broker
  if (!server) throw new Error(`this system has no ${place}`)
  return server.link
}
