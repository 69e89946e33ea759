import fc from 'fast-check'
import { isSomeOrder } from './judge.ts'
import { type TaskState, visible } from './model.ts'
import { type Played, play } from './play.ts'
import { type Scenario, scenario } from './scenario.ts'
import { openStage, type Stage } from './stage.ts'

export type RacesOptions = {
  /** A migrated database for each lane; lanes play at the same time. */
  databases: readonly string[]
  /** How many races to play: tasks that two or three moves touched at once. */
  races: number
  seed: number
  after(undo: () => unknown): void
  say?: (line: string) => void
}

/** `waits`: moves that stood waiting for a lock when somebody looked. */
export type RacesPlayed = { races: number; scenarios: number; waits: number; deadlocks: number }

/**
 * Plays random pairs and triples of moves on tasks that they share, and fails with the smallest scenario found unless
 * each task is left as some order of the moves would have left it, with the answers that were given.
 */
export async function playRaces({ databases, races, seed, after, say }: RacesOptions): Promise<RacesPlayed> {
  const share = Math.ceil(races / databases.length)
  const lanes = databases.map(async (url, i) => {
    return playLane(await openStage(url, { after }), { races: share, seed: seed * 1_000 + i, say })
  })
  const played = await Promise.all(lanes)
  return played.reduce((sum, lane) => ({
    races: sum.races + lane.races,
    scenarios: sum.scenarios + lane.scenarios,
    waits: sum.waits + lane.waits,
    deadlocks: sum.deadlocks + lane.deadlocks,
  }))
}

const scenariosAtOnce = 200

type LaneOptions = { races: number; seed: number; say: RacesOptions['say'] }

async function playLane(stage: Stage, { races, seed, say }: LaneOptions): Promise<RacesPlayed> {
  const played = { races: 0, scenarios: 0, waits: 0 }
  const property = fc.asyncProperty(scenario, async (scenario) => {
    const result = await playScenario(stage, scenario)
    played.races += result.races
    played.waits += result.waits
    played.scenarios++
  })
  for (let round = 0; played.races < races; round++) {
    await fc.assert(property, { seed: seed + round * 100_000, numRuns: Math.min(scenariosAtOnce, races) })
    await stage.clear()
    if (round % 10 === 9) say?.(`${played.races} races in this lane`)
  }
  return { ...played, deadlocks: await stage.deadlocks() }
}

async function playScenario(stage: Stage, scenario: Scenario): Promise<{ races: number; waits: number }> {
  const { cast, before } = await stage.set(scenario)
  const { played, waits } = await play(stage, { scenario, cast, before })
  const after = await stage.read(cast)
  const flaws = await stage.flaws(cast)
  const isAllServed = scenario.moves.every(({ move }) => !('served' in move) || move.served)
  if (isAllServed && after.some(isStuck))
    flaws.push("a task is pending in packets only that are somebody's already")
  if (flaws.length > 0) throw new Error(flaws.join('\n'))
  before.forEach((task, i) => {
    judge(
      task,
      after[i]!,
      played.map((steps) => steps[i]!),
    )
  })
  return { races: before.filter((_, i) => touching(played, i) >= 2).length, waits }
}

/** Whoever took a packet starts what is pending in it, unless it has no handler. */
function isStuck({ status, packets, fresh }: TaskState): boolean {
  return status === 'pending' && ![...packets.values(), ...fresh].includes(null)
}

function touching(played: readonly Played[], task: number): number {
  return played.filter((steps) => steps[task]!.length > 0).length
}

function judge(before: TaskState, after: TaskState, moves: Parameters<typeof isSomeOrder>[0]): void {
  if (isSomeOrder(moves, before, after)) return
  const states = { before: visible(before), after: visible(after) }
  throw new Error(
    `no order of the moves leads from one to the other:\n${JSON.stringify(states, undefined, 2)}`,
  )
}
