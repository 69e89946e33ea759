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
export async function playRaces(options: RacesOptions): Promise<RacesPlayed> {
  const { databases, races, seed, after, say } = options
  const tally: Tally = { races: 0, scenarios: 0, waits: 0, failed: false }
  const stages = await Promise.all(databases.map((url) => openStage(url, { after })))
  const lanes = stages.map(async (stage, i) => {
    for (let round = 0; tally.races < races && !tally.failed; round++) {
      await playRound(stage, tally, { seed: seed * 1_000 + round * 100_000 + i, most: races })
      if (i === 0 && round % 5 === 4) say?.(`${tally.races} races`)
    }
  })
  await Promise.allSettled(lanes)
  await Promise.all(lanes)
  const deadlocks = await Promise.all(stages.map((stage) => stage.deadlocks()))
  const { failed: _, ...played } = tally
  return { ...played, deadlocks: deadlocks.reduce((sum, some) => sum + some) }
}

type Tally = { races: number; scenarios: number; waits: number; failed: boolean }

const scenariosAtOnce = 100

async function playRound(
  stage: Stage,
  tally: Tally,
  { seed, most }: { seed: number; most: number },
): Promise<void> {
  const property = fc.asyncProperty(scenario, async (scenario) => {
    const { races, waits } = await playScenario(stage, scenario)
    tally.races += races
    tally.waits += waits
    tally.scenarios++
  })
  try {
    await fc.assert(property, { seed, numRuns: Math.min(scenariosAtOnce, most) })
  } catch (error) {
    tally.failed = true
    throw error
  }
  await stage.clear()
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
