import type { Figure, Reading } from '../measure/figure.ts'
import { countsOf, type Stand, submitSteadily, withStand, wrongRefusals } from '../measure/stand.ts'
import type { Member } from '../trial/fault.ts'
import { untilQuiet } from '../trial/judge.ts'
import { seeded } from '../trial/random.ts'

const restarts = 50
const graceMs = 5_000
const mayOverrunMs = 2_000
const rate = 60

export const figure: Figure = {
  name: 'rolling-restarts',
  goal: `${restarts} rolling restarts under load: no failure counted, no client's error, exit within grace + 2 s`,
  measure: ({ scale, seed, say }) =>
    withStand({ name: 'rolling', seed, transport: 'postgresql', settings }, (stand) =>
      restartInTurn(stand, { times: Math.max(4, Math.round(restarts * scale)), seed, say }),
    ),
}

const settings = { SHUTDOWN_GRACE_MS: String(graceMs) }

type Run = { times: number; seed: number; say: (line: string) => void }

async function restartInTurn(stand: Stand, { times, seed, say }: Run): Promise<Reading> {
  const { apis, workers, database, client, ledgers } = stand
  const load = submitSteadily(client, rate, drawTask(seed))
  const members = apis.flatMap((api, i) => [api, workers[i]!])
  const exits: { member: string; code: number | NodeJS.Signals; tookMs: number }[] = []
  for (let i = 0; i < times; i++) exits.push(await restart(members[i % members.length]!))
  const accepted = await load.stop()
  await untilQuiet(stand, 180_000)
  const counts = await countsOf(database, accepted)
  // An api that is away, or about to be, is no error: the client turns to the other.
  const refusals = wrongRefusals(
    ledgers,
    ({ status, retryAfter }) => status === 0 || (status === 503 && !!retryAfter),
  )
  const late = exits.filter(({ code, tookMs }) => code !== 0 || tookMs > graceMs + mayOverrunMs)
  for (const what of [...refusals, ...late.map((exit) => JSON.stringify(exit))]) say(`violation: ${what}`)
  const { differing, failures, crashes, unfinished, missing } = counts
  const wrong = differing + failures + crashes + unfinished + missing + refusals.length + late.length
  const slowestMs = Math.round(Math.max(...exits.map(({ tookMs }) => tookMs)))
  const text =
    `${times} restarts, ${accepted.length} tasks, all accepted: ${failures} failures and ${crashes} crashes counted, ` +
    `${unfinished} not completed, ${missing} missing, ${differing} counts off, ${refusals.length} wrong refusals; ` +
    `slowest exit ${slowestMs} ms with ${graceMs} ms of grace, ${late.length} late or not with 0`
  return {
    met: wrong === 0,
    text,
    values: { ...counts, restarts: times, tasks: accepted.length, slowestMs, seed },
  }
}

async function restart(member: Member) {
  const exit = await member.stop()
  await member.start()
  return { member: member.name, ...exit }
}

/** Most are done before their worker ends; some outlast its grace and are handed back. */
function drawTask(seed: number) {
  const random = seeded(seed)
  return () => {
    const kind = random.between(1, 100)
    if (kind <= 2) return { type: 'slow', payload: { ms: graceMs + 1_000 } }
    return kind <= 30
      ? { type: 'slow', payload: { ms: random.between(500, 3_000) } }
      : { type: 'quick', payload: { ms: random.between(0, 20) } }
  }
}
