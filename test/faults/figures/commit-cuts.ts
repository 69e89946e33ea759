import { until } from '../../support/until.ts'
import type { Figure, Reading } from '../measure/figure.ts'
import { countsOf, type Stand, withStand } from '../measure/stand.ts'
import { type ClientLine, type HandlerLine, readLines } from '../system/ledger.ts'
import { moves } from '../system/moves.ts'
import { untilQuiet } from '../trial/judge.ts'

const cutsEach = 100
const answerMs = 60_000

export const figure: Figure = {
  name: 'commit-cuts',
  goal: `connection cut around COMMIT, ${cutsEach} each side and move: 0 duplicates, 0 lost, counts exact`,
  measure: ({ scale, seed, say }) =>
    withStand({ name: 'cuts', seed, transport: 'postgresql', isDirect: false }, async (stand) => {
      const cuts = Math.max(3, Math.round(cutsEach * scale))
      for (const trial of trials)
        for (const side of ['before', 'after'] as const) {
          await cutInTurn(stand, trial, { side, cuts })
          say(`${cuts} times ${side} the commit of ${trial.what}`)
        }
      await untilQuiet(stand, 180_000)
      return readingOf(stand, cuts * trials.length * 2)
    }),
}

type Side = 'before' | 'after'
type Trial = {
  what: string
  statements: readonly string[]
  /** Makes a client want what is cut; resolves when it has it, or knows that nobody knows. */
  provoke(stand: Stand, name: string): Promise<unknown>
}

const quick = { type: 'quick', payload: { ms: 1 } }
const [submit, claim, finish, cancel] = moves

const trials: readonly Trial[] = [
  {
    what: 'a submission with a key, which the client repeats',
    statements: submit.statements,
    provoke: ({ client }, name) => client.submitKeyed(quick, name),
  },
  {
    what: 'a submission without a key',
    statements: submit.statements,
    provoke: ({ client }) => client.submit([quick]),
  },
  {
    what: 'a claim',
    statements: claim.statements,
    provoke: ({ client }, name) => client.submitKeyed(quick, name),
  },
  {
    what: 'an outcome',
    statements: finish.statements,
    provoke: ({ client }, name) => client.submitKeyed(quick, name),
  },
  {
    what: 'a cancellation, which the client repeats',
    statements: cancel.statements,
    async provoke({ client }, name) {
      const id = await client.submitKeyed({ ...quick, delayMs: 3_600_000 }, name)
      await until(async () => (await client.cancel(id)) === 'canceled', {
        deadlineMs: answerMs,
        what: `${id} is canceled`,
      })
    },
  },
]

async function cutInTurn(
  stand: Stand,
  { what, statements, provoke }: Trial,
  turn: { side: Side; cuts: number },
) {
  const { side, cuts } = turn
  for (let n = 0; n < cuts; n++) {
    const cut = stand.database.link.cutCommit({ side, statements }, AbortSignal.timeout(answerMs))
    await Promise.all([cut, provoke(stand, `${side} ${what} ${n}`)])
  }
}

/**
 * What was accepted is there once. Of submissions without a key that were not answered, those are there, once, that
 * were cut after their commit. No handler finished twice.
 */
async function readingOf({ database, ledgers }: Stand, cuts: number): Promise<Reading> {
  const accepted = readLines<ClientLine>(ledgers.client).flatMap((line) =>
    line.what === 'submitted' ? line.ids : [],
  )
  const finished = readLines<HandlerLine>(ledgers.handlers).filter(({ what }) => what === 'finished')
  const twice = finished.length - new Set(finished.map(({ id }) => id)).size
  const { missing: lost, differing } = await countsOf(database, accepted)
  const [found] = await database.query<{ unknown: number; duplicates: number }>(
    `select count(*) filter (where not id = any ($1::uuid[]))::int as unknown,
            (count(idempotency_key) - count(distinct idempotency_key))::int as duplicates
       from millrace.tasks`,
    [accepted],
  )
  const { unknown, duplicates } = found!
  const unanswered = cuts / trials.length / 2
  return {
    met: lost + duplicates + twice + differing === 0 && unknown === unanswered,
    text:
      `${cuts} cuts: ${lost} lost, ${duplicates} keys with two tasks, ${twice} finished twice, ${differing} counts off; ` +
      `of ${unanswered} submissions without a key, cut after their commit, ${unknown} are there`,
    values: { cuts, lost, duplicates, twice, differing, unanswered, unknown },
  }
}
