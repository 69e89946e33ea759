import { globSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RigLine } from '../system/ledger.ts'
import { nowMs } from '../system/machine-clock.ts'
import type { Fault, Random, System, Transport } from './fault.ts'
import { seeded, shuffled } from './random.ts'

/** A kind of fault, with the file it is from. */
export type Kind = Fault & { file: string }

/** All kinds of the folder, those that a machine lacks something for included. */
export async function findKinds(): Promise<Kind[]> {
  const files = globSync('kinds/*.ts', { cwd: join(import.meta.dirname, '..') }).sort()
  const modules = await Promise.all(files.map((file) => import(`../${file}`) as Promise<{ faults: Fault[] }>))
  return modules.flatMap(({ faults }, i) => faults.map((fault) => ({ ...fault, file: files[i] ?? '' })))
}

export type Plan = {
  /** Draws kinds until then, or, without it, each kind once. */
  untilMs: number | undefined
  /** From one fault to the next, the shortest and the longest. */
  pauseMs: readonly [number, number]
  random: Random
  record: (line: RigLine) => void
  /** A fault that could not be done is an error of the rig, or of the system. */
  failed: (kind: string, error: unknown) => void
}

const atOnce = 2

/** Strikes with what the seed draws, some at once, and resolves when all is undone. Every kind has its turn. */
export async function strikeAll(system: System, kinds: readonly Kind[], plan: Plan): Promise<void> {
  const { random, untilMs } = plan
  const active = new Map<Kind, Promise<void>>()
  let deck = dealt(kinds, random)
  while (untilMs === undefined ? deck.length > 0 : nowMs() < untilMs) {
    if (deck.length === 0) deck = dealt(kinds, random)
    const endsBy = untilMs ?? Number.POSITIVE_INFINITY
    const kind = deck.find(
      (one) => goesWith(one, [...active.keys()]) && nowMs() + (one.takesMs ?? 0) < endsBy,
    )
    if (kind === undefined) {
      if (active.size === 0) deck = [] // the rest would not end in time
      await Promise.race([...active.values(), sleep(200)])
      continue
    }
    deck.splice(deck.indexOf(kind), 1)
    // Numbers of its own, so that what it draws does not depend on who else draws at the moment.
    const struck = strike(system, kind, { ...plan, random: seeded(random.between(0, 2 ** 32 - 1)) })
    active.set(
      kind,
      struck.finally(() => active.delete(kind)),
    )
    await sleep(random.between(...plan.pauseMs))
  }
  await Promise.all(active.values())
}

/** Those that take long come first, as others can happen meanwhile. */
function dealt(kinds: readonly Kind[], random: Random): Kind[] {
  return shuffled(kinds, random).sort((a, b) => (b.takesMs ?? 0) - (a.takesMs ?? 0))
}

function goesWith({ file, part = file, takesMs }: Kind, active: readonly Kind[]): boolean {
  const short = active.filter((other) => other.takesMs === undefined)
  // Two that take long could be all the workers that there are.
  if (takesMs !== undefined) return short.length === active.length
  return short.length < atOnce && short.every((other) => (other.part ?? other.file) !== part)
}

async function strike(system: System, kind: Kind, { random, record, failed }: Plan): Promise<void> {
  const at = nowMs()
  const everybody = [...system.apis, ...system.workers]
  const { members, detail } = await done()
  const names = (members ?? everybody).map(({ name }) => name)
  const what = { kind: kind.kind, ...(detail === undefined ? {} : { detail }), effects: kind.effects }
  record({ what: 'struck', at, until: nowMs(), ...what, members: names })

  async function done(): Promise<Struck> {
    try {
      return (await kind.strike(system, random)) ?? {}
    } catch (error) {
      failed(kind.kind, error)
      return {}
    }
  }
}

type Struck = NonNullable<Awaited<ReturnType<Fault['strike']>>>

/** The kinds that happen with a transport on this machine, and why others do not. */
export function possibleKinds(kinds: readonly Kind[], transport: Transport) {
  const ofTransport = kinds.filter(({ transports }) => transports.includes(transport))
  const missing = ofTransport.flatMap(({ kind, missing }) => {
    const why = missing?.()
    return why === undefined ? [] : [{ kind, why }]
  })
  return { kinds: ofTransport.filter(({ missing }) => missing?.() === undefined), missing }
}
