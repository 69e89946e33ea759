import { globSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault, Member, Random, System, Transport } from './fault.ts'
import type { RigLine } from './ledger.ts'
import { nowMs } from './machine-clock.ts'
import { shuffled } from './random.ts'

/** A kind of fault, with the file it is from: two of one file strike the same part of the system. */
export type Kind = Fault & { file: string }

/** All kinds of the folder, those that a machine lacks something for included. */
export async function findKinds(): Promise<Kind[]> {
  const files = globSync('kinds/*.ts', { cwd: import.meta.dirname }).sort()
  const modules = await Promise.all(files.map((file) => import(`./${file}`) as Promise<{ faults: Fault[] }>))
  return modules.flatMap(({ faults }, i) => faults.map((fault) => ({ ...fault, file: files[i] ?? '' })))
}

export type Plan = {
  /** Draws kinds until then, or, without it, each kind once. */
  untilMs: number | undefined
  random: Random
  record: (line: RigLine) => void
  /** A fault that could not be done is an error of the rig, or of the system. */
  failed: (kind: string, error: unknown) => void
}

const atOnce = 2
const pauseMs = [500, 2_000] as const

/** Strikes with what the seed draws, some at once, and resolves when all is undone. Every kind has its turn. */
export async function strikeAll(system: System, kinds: readonly Kind[], plan: Plan): Promise<void> {
  const { random, untilMs } = plan
  const active = new Map<Kind, Promise<void>>()
  let deck = shuffled(kinds, random)
  while (untilMs === undefined ? deck.length > 0 : nowMs() < untilMs) {
    if (deck.length === 0) deck = shuffled(kinds, random)
    const kind = next()
    if (kind === undefined) {
      await Promise.race([...active.values(), sleep(200)])
      continue
    }
    deck.splice(deck.indexOf(kind), 1)
    active.set(
      kind,
      strike(system, kind, plan).finally(() => active.delete(kind)),
    )
    await sleep(random.between(...pauseMs))
  }
  await Promise.all(active.values())

  /** The first of the deck that goes with what goes on, and that ends in time. */
  function next(): Kind | undefined {
    const busy = [...active.keys()]
    const short = busy.filter(({ takesMs = 0 }) => takesMs === 0)
    const isFull = short.length >= atOnce
    const fits = ({ file, takesMs = 0 }: Kind) =>
      !short.some((other) => other.file === file) &&
      (takesMs === 0 ? !isFull : untilMs === undefined || nowMs() + takesMs < untilMs)
    const kind = deck.find(fits)
    if (kind === undefined && busy.length === 0) deck = []
    return kind
  }
}

async function strike(system: System, kind: Kind, { random, record, failed }: Plan): Promise<void> {
  const at = nowMs()
  const everybody = [...system.apis, ...system.workers]
  let struck: readonly Member[] = everybody
  try {
    struck = (await kind.strike(system, random))?.members ?? everybody
  } catch (error) {
    failed(kind.kind, error)
  }
  const members = struck.map(({ name }) => name)
  record({ what: 'struck', at, until: nowMs(), kind: kind.kind, effects: kind.effects, members })
}

/** The kinds that happen with a transport on this machine, and why others do not. */
export function possibleKinds(kinds: readonly Kind[], transport: Transport) {
  const ofTransport = kinds.filter(({ transports }) => transports.includes(transport))
  const missing = ofTransport.flatMap(({ kind, missing }) => {
    const why = missing?.()
    return why === undefined ? [] : [{ kind, why }]
  })
  return { kinds: ofTransport.filter(({ missing }) => missing?.() === undefined), missing }
}
