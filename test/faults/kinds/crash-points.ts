import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolder, removeFolder } from '../../support/folder.ts'
import { until } from '../../support/until.ts'
import { readCrashPoint } from '../crash/point.ts'
import { type NamedPoint, type Part, parts, pointsOf } from '../crash/points.ts'
import { trapSetter } from '../crash/traps.ts'
import type { Fault, Member, Random, System, Transport } from '../trial/fault.ts'
import { shuffled } from '../trial/random.ts'

/** A kind for each part; each strike goes on to the next of its points, in an order that the seed decides. */
export const faults: Fault[] = parts.map((part) => {
  const left: Record<Transport, NamedPoint[]> = { postgresql: [], rabbitmq: [] }
  return {
    kind: `crash while ${part}`,
    transports: part === 'relaying' ? ['rabbitmq'] : ['postgresql', 'rabbitmq'],
    effects: ['restarts', 'exits', 'outage'],
    async strike(system, random) {
      const points = left[system.transport]
      if (points.length === 0) points.push(...shuffled(pointsOf(system.transport, part), random))
      return crashAt(system, points.pop()!, random)
    },
  }
})

const hitWithinMs = 120_000

/**
 * Sets traps at the point for who may come there, brings it about, and waits until one fell into its trap and all run
 * again. Fails when nobody came there.
 */
export async function crashAt(
  system: System,
  point: NamedPoint,
  random: Random,
): Promise<{ members: readonly Member[]; detail: string }> {
  const folder = makeFolder('crash')
  const hitFile = join(folder, 'hit')
  const hitBy = () => existsSync(hitFile) && Number(readFileSync(hitFile, 'utf8'))
  const { members, nth, alsoStruck, bringAbout } = plans[point.part](system, random)
  const traps = trapSetter({ point: readCrashPoint(point.at), nth, hitFile })
  try {
    const attempt = async () => {
      await traps.set(members)
      await bringAbout(() => Boolean(hitBy()))
      return hitBy()
    }
    const pid = await until(attempt, { deadlineMs: hitWithinMs, what: `a crash ${point.at}` })
    const struck = [await traps.fallen(pid), ...alsoStruck]
    await Promise.all(struck.map((member) => member.start()))
    return { members: struck, detail: point.at }
  } finally {
    removeFolder(folder) // a trap without its folder does nothing any more
  }
}

type Plan = {
  /** Whoever of them comes there first. */
  members: readonly Member[]
  /** How often one gets there before it is the time. */
  nth: number
  alsoStruck: readonly Member[]
  /** Called again while nobody got there. */
  bringAbout: (isHit: () => boolean) => Promise<void>
}

const plans: Record<Part, (system: System, random: Random) => Plan> = {
  answering: byCancellations,
  relaying: ({ apis }, random) => byLoad(apis, random),
  working: ({ workers }, random) => byLoad(workers, random),
  'keeping house': byDeath,
  stopping: byStop,
}

/** The load gets there by itself. */
function byLoad(members: readonly Member[], random: Random): Plan {
  return {
    members: [random.pick(members)],
    nth: random.between(1, 3),
    alsoStruck: [],
    bringAbout: async () => {},
  }
}

/** The load gets there too, but seldom cancels what runs. */
function byCancellations(system: System, random: Random): Plan {
  return {
    ...byLoad(system.apis, random),
    async bringAbout() {
      const ids = await system.submit(slowTasks(4, longerThanGraceMs))
      const started = `select from millrace.tasks where id = any ($1) and status = 'processing'`
      await until(async () => (await system.database.query(started, [ids])).length > 0, {
        what: 'a slow task runs',
      })
      await Promise.all(ids.map((id) => system.cancel(id)))
    },
  }
}

const sweptWithinMs = 4_000

/** Kills a worker until one of the apis was the one to find it. */
function byDeath(system: System, random: Random): Plan {
  const victim = random.pick(system.workers)
  return {
    members: system.apis,
    nth: 1,
    alsoStruck: [victim],
    async bringAbout(isHit) {
      await giveWork(system, victim, whileKilledMs)
      victim.kill('SIGKILL')
      await until(isHit, { deadlineMs: sweptWithinMs, what: 'a look by an api' }).catch(() => {})
      await victim.start()
    },
  }
}

/** Tells a worker to stop while it has tasks that will not be done in time. */
function byStop(system: System, random: Random): Plan {
  const leaver = random.pick(system.workers)
  return {
    members: [leaver],
    nth: 1,
    alsoStruck: [],
    async bringAbout() {
      await giveWork(system, leaver, longerThanGraceMs)
      await leaver.stop()
      await leaver.start()
    },
  }
}

/** What a stop does not wait for to the end. */
const longerThanGraceMs = 6_500
/** Enough to be killed in the midst of; not more, since after a death tasks run few at a time, and tries pile up. */
const whileKilledMs = 1_500

const slowTasks = (count: number, ms: number) =>
  Array.from({ length: count }, () => ({ type: 'slow', payload: { ms } }))

/** Its slots may all be taken by what had to run apart. */
const workWithinMs = 30_000

/** Resolves when the worker runs some tasks that take long. */
async function giveWork({ submit, database }: System, worker: Member, ms: number): Promise<void> {
  // One by one, so that every worker gets some.
  const ids = (await Promise.all(slowTasks(12, ms).map((task) => submit([task])))).flat()
  const running = `
    select from millrace.tasks as t join millrace.workers as w on w.id = t.worker_id
     where t.id = any ($1) and t.status = 'processing' and w.pid = $2`
  await until(async () => (await database.query(running, [ids, worker.pid()])).length > 0, {
    deadlineMs: workWithinMs,
    what: `slow tasks at ${worker.name}`,
  })
}
