import type { FeedPage, FeedPosition, Move, MoveFilter } from '../domain/event.ts'
import type { MoveLog, Sleep } from '../domain/ports.ts'
import { readingTogether } from './read-moves.ts'

export type FeedDeps = { log: MoveLog; newId: () => string; sleep: Sleep }

type Feed = { from: FeedPosition | undefined; signal: AbortSignal }

/** Far below the minute for which a listener is remembered. */
const renewEveryMs = 15_000
/** Moves are kept for three minutes; less, because clocks are read at different moments. */
const oldestMs = 150_000
const outageWaitMs = 1_000
/** A process that has not looked for listeners for 1.5 s writes moves down without being asked. */
const untilAllKnowMs = 1_700

/**
 * The moves of all tasks that a filter lets pass, as they happen. Followers pull: those at the head share one query
 * every 100 ms, and who is slow or comes back reads for himself, from where he was, until he is there. So nothing is
 * kept for anybody, and any api process can go on where another stopped.
 */
export function followingMoves({ log, newId, sleep }: FeedDeps) {
  const { next, beginAt } = readingTogether({ log, sleep })
  return { followMoves }

  /** Pages of moves from now on, or from where somebody stopped; the first one is empty and tells the position. */
  async function* followMoves(filter: MoveFilter, { from, signal }: Feed): AsyncGenerator<FeedPage> {
    let { position, missed } = await begin(filter, from)
    let renewedAtMs = performance.now()
    yield { moves: [], position, missed }
    for (;;) {
      const page = await next(position, signal).catch(() => undefined)
      if (signal.aborted) return
      if (page) {
        position = { listener: position.listener, atMs: page.atMs, ...page.position }
        yield { moves: passing(page.moves, filter), position, missed: false }
        if (performance.now() - renewedAtMs < renewEveryMs) continue
      }
      const again = await goOn(page && position, { filter, signal })
      if (!again) return
      renewedAtMs = performance.now()
      ;({ position, missed } = again)
      if (missed) yield { moves: [], position, missed }
    }
  }

  async function begin(filter: MoveFilter, from: FeedPosition | undefined) {
    if (!from) return { position: await start(filter), missed: false }
    const kept = await keep(from, filter)
    beginAt(kept.position)
    return kept
  }

  /** Goes on listening; from now on and with a gap, if nothing was written down for a while. */
  async function keep(position: FeedPosition, filter: MoveFilter) {
    if (await log.keepListening(position.listener, filter)) {
      const { atMs } = await log.read({ after: position.after }, position.after)
      if (atMs - position.atMs < oldestMs) return { position, missed: false }
    }
    return { position: await start(filter), missed: true }
  }

  /** After an outage, without a position: nobody knows whether the server has lost what it had written down. */
  async function goOn(
    position: FeedPosition | undefined,
    { filter, signal }: { filter: MoveFilter; signal: AbortSignal },
  ) {
    for (let known = position; !signal.aborted; known = undefined) {
      try {
        return known ? await keep(known, filter) : { position: await start(filter), missed: true }
      } catch {
        await sleep(outageWaitMs, signal).catch(() => {})
      }
    }
    return undefined
  }

  async function start(filter: MoveFilter): Promise<FeedPosition> {
    const listener = newId()
    await log.listen(listener, filter)
    await sleep(untilAllKnowMs)
    const { position, atMs } = await log.here()
    beginAt(position)
    return { ...position, listener, atMs }
  }
}

function passing(moves: readonly Move[], { type, queue, status }: MoveFilter): Move[] {
  return moves.filter(
    (move) =>
      (type === undefined || move.type === type) &&
      (queue === undefined || move.queue === queue) &&
      (!status || status.includes(move.status)),
  )
}
