import { isDeepStrictEqual } from 'node:util'
import { type Step, type TaskState, visible } from './model.ts'

/**
 * Whether some order of the moves, one after the other, leads from `before` to `after` and to the answers that were
 * given: `moves` are the steps of each, which keep their order and may have those of others between them.
 */
export function isSomeOrder(
  moves: readonly (readonly Step[])[],
  before: TaskState,
  after: TaskState,
): boolean {
  const wanted = visible(after)
  return leads(
    moves.filter((steps) => steps.length > 0),
    before,
    (state) => isDeepStrictEqual(visible(state), wanted),
  )
}

function leads(
  moves: readonly (readonly Step[])[],
  state: TaskState,
  isIt: (state: TaskState) => boolean,
): boolean {
  if (moves.length === 0) return isIt(state)
  return moves.some(([step, ...later], i) => {
    const rest = later.length > 0 ? moves.with(i, later) : moves.toSpliced(i, 1)
    return step!(state).some((next) => leads(rest, next, isIt))
  })
}
