import fc from 'fast-check'
import { complaintAbout } from '../fuzz/answers.ts'
import { answersTo, hangsAfterMs, keptConnection } from '../fuzz/connection.ts'
import { malformed } from '../fuzz/malformed.ts'
import { watchNeighbor } from '../fuzz/neighbor.ts'
import type { WireRequest } from '../fuzz/request.ts'
import { slowClients } from '../fuzz/slow.ts'
import { type Document, wellFormed } from '../fuzz/well-formed.ts'
import type { Figure, Reading } from '../measure/figure.ts'
import { type Memory, settledMemoryOf } from '../measure/memory.ts'
import { withStand } from '../measure/stand.ts'

const requests = 100_000
const slow = 1_000
const lanes = 48
const mostGrowth = 0.2
/** After so many, whatever grows with the first of everything has grown. */
const warmUp = 0.2

export const figure: Figure = {
  name: 'fuzz',
  goal: `${requests} odd requests beside ${slow} slow clients: no 5xx, no crash, no hang, memory +${mostGrowth * 100} % at most`,
  measure: ({ scale, seed, say }) =>
    withStand({ name: 'fuzz', seed, transport: 'postgresql', apis: 1, workers: 0 }, async (stand) => {
      const [api] = stand.apis
      if (!api) throw new Error('there is no api')
      const pid = api.pid()
      const memory = () => settledMemoryOf(pid, stand.memoryFile)
      const reading = await bombard({ url: api.url, count: Math.round(requests * scale), seed, memory, say })
      return api.pid() === pid ? reading : { ...reading, met: false, text: `the api ended; ${reading.text}` }
    }),
}

type Run = {
  url: string
  count: number
  seed: number
  memory: () => Promise<Memory>
  say: (line: string) => void
}

async function bombard({ url, count, seed, memory, say }: Run): Promise<Reading> {
  const port = Number(new URL(url).port)
  const crowd = slowClients(port, slow)
  const neighbor = watchNeighbor(url)
  const attack = await attacker(url, seed)
  const beganMs = performance.now()
  await attack.send(Math.round(count * warmUp))
  const before = await memory()
  say(`after warming up: ${megabytes(before.rss)} MB resident, ${megabytes(before.heapUsed)} MB of heap`)
  await attack.send(count - Math.round(count * warmUp))
  const seconds = (performance.now() - beganMs) / 1000
  const { slowestMs } = await neighbor.stop()
  const after = await memory()
  say(`at the end: ${megabytes(after.rss)} MB resident, ${megabytes(after.heapUsed)} MB of heap`)
  await crowd.stop()
  const complaints = [...attack.complaints, ...crowd.complaints, ...neighbor.complaints]
  for (const complaint of complaints.slice(0, 20)) say(`violation: ${complaint}`)
  const growth = after.rss / before.rss - 1
  const statuses = [...attack.statuses].sort(([a], [b]) => a - b)
  const text =
    `${count} requests in ${seconds.toFixed(0)} s beside ${slow} slow clients (${crowd.thrownOut()} thrown out), ` +
    `answered ${statuses.map(([status, times]) => `${status}: ${times}`).join(', ')}; ${complaints.length} violations; ` +
    `slowest usual request ${slowestMs.toFixed(0)} ms; memory ${(growth * 100).toFixed(1)} % more`
  return {
    met: complaints.length === 0 && growth <= mostGrowth && slowestMs < hangsAfterMs,
    text,
    values: { requests: count, seconds, violations: complaints.length, slowestMs, growth, seed },
  }
}

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0)

/** What is drawn at once: enough that drawing costs little, few enough to know ids of the round before. */
const drawnAtOnce = 500
const mostKnownIds = 200

/** Sends requests that are drawn by seed over many connections, and judges each answer. */
async function attacker(url: string, seed: number) {
  const port = Number(new URL(url).port)
  const complaints: string[] = []
  const statuses = new Map<number, number>()
  const ids: string[] = []
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as Document
  const whole = wellFormed(document, () => ids[used++ % ids.length])
  const all = fc.oneof({ weight: 8, arbitrary: whole }, { weight: 2, arbitrary: malformed(whole) })
  let drawn = seed
  let used = 0
  let queue: WireRequest[] = []
  return { complaints, statuses, send }

  async function send(count: number) {
    let left = count
    const lane = async () => {
      const connection = keptConnection(port)
      while (left-- > 0) await judge(next(), connection)
      connection.close()
    }
    await Promise.all(Array.from({ length: lanes }, lane))
  }

  function next(): WireRequest {
    if (queue.length === 0) queue = fc.sample(all, { seed: drawn++, numRuns: drawnAtOnce })
    return queue.pop()!
  }

  async function judge(request: WireRequest, connection: ReturnType<typeof keptConnection>) {
    const { method, isWhole, mostAnswers = Number.POSITIVE_INFINITY } = request
    const complain = (what: string) => complaints.push(`${what}\n    to ${shown(request)}`)
    try {
      const answers = isWhole ? [await connection.ask(request)] : await answersTo(port, request)
      if (answers.length > mostAnswers) complain(`${answers.length} answers`)
      for (const answer of answers) {
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
        const complaint = complaintAbout(answer, method)
        if (complaint !== undefined) complain(complaint)
        if (answer.status === 201) learn(answer.headers.get('location'))
      }
    } catch (error) {
      complain(error instanceof Error ? error.message : String(error))
    }
  }

  function learn(location: string | undefined) {
    const id = location?.split('/').at(-1)
    if (id === undefined) return
    ids.push(id)
    if (ids.length > mostKnownIds) ids.shift()
  }
}

function shown({ bytes }: WireRequest): string {
  return `${JSON.stringify(bytes.toString('latin1', 0, 400))}${bytes.length > 400 ? ` (${bytes.length} bytes)` : ''}`
}
