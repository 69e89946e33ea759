import { setTimeout as sleep } from 'node:timers/promises'
import { makeFolder, removeFolder } from '../../support/folder.ts'
import type { Verdict } from '../check/checker.ts'
import { type Client, openClient } from '../system/client.ts'
import { type RigLine, writeLine } from '../system/ledger.ts'
import { startLoad } from '../system/load.ts'
import { nowMs } from '../system/machine-clock.ts'
import { openReceiver } from '../system/receiver.ts'
import { cleanups, type Deployment, deploy } from '../system/system.ts'
import type { System, Transport } from './fault.ts'
import { judge, untilQuiet } from './judge.ts'
import { type Kind, strikeAll } from './plan.ts'
import { seeded } from './random.ts'

export type TrialOptions = {
  seed: number
  transport: Transport
  kinds: readonly Kind[]
  /** How long faults are drawn; without it each kind strikes once. */
  minutes: number | undefined
  /** Tasks a second that clients submit. */
  rate: number
  /** How long to wait for the end of all tasks, milliseconds. */
  patienceMs: number
  /** Whether ledgers and logs are kept also where nothing went wrong. */
  keep?: boolean
  say: (line: string) => void
}

export type Trial = {
  seed: number
  transport: Transport
  /** How often each kind struck. */
  faults: Record<string, number>
  accepted: number
  tookMs: number
  verdict: Verdict
  /** What went wrong in the rig itself. */
  troubles: string[]
  /** Ledgers and logs, kept where something went wrong. */
  folder: string | undefined
}

/** Load without faults first, so that a system that does not work at all is told apart. */
const warmUpMs = 2_000
const coolDownMs = 2_000
const pauseMs = [500, 2_000] as const

/** One system, one load, the faults of one seed, and the verdict. */
export async function runTrial(options: TrialOptions): Promise<Trial> {
  const { seed, transport, say } = options
  const beganAt = nowMs()
  const folder = makeFolder('faults')
  const undo = cleanups()
  const troubles: string[] = []
  try {
    const deployment = await deploy(undo, { transport, folder })
    say(`seed ${seed}, the system is up in ${folder}`)
    const { faults, accepted } = await play(deployment, { ...options, troubles })
    const verdict = await judge(deployment)
    const tookMs = nowMs() - beganAt
    const trial = { seed, transport, faults, accepted, tookMs, verdict, troubles }
    const isKept = options.keep || verdict.violations.length + troubles.length > 0
    await undo.run()
    if (!isKept) removeFolder(folder)
    return { ...trial, folder: isKept ? folder : undefined }
  } finally {
    await undo.run()
  }
}

type Course = TrialOptions & { troubles: string[] }

/** Load, faults, and quiet again. */
async function play(deployment: Deployment, course: Course) {
  const { seed, rate, troubles, say } = course
  const { ledgers } = deployment
  const random = seeded(seed)
  const urls = deployment.apis.map(({ url }) => url)
  const client = openClient(urls, { ledger: ledgers.client, random: seeded(random.between(0, 2 ** 31)) })
  const receiver = await openReceiver((line) => writeLine(ledgers.rig, line))
  const load = startLoad(client, {
    rate,
    random: seeded(random.between(0, 2 ** 31)),
    callbackUrl: receiver.url,
  })
  const faults: Record<string, number> = {}
  await sleep(warmUpMs)
  const record = (line: RigLine) => {
    if (line.what === 'struck') faults[line.kind] = (faults[line.kind] ?? 0) + 1
    writeLine(ledgers.rig, line)
  }
  const failed = (kind: string, error: unknown) => void troubles.push(`${kind}: ${reasonOf(error)}`)
  const untilMs = course.minutes === undefined ? undefined : nowMs() + course.minutes * 60_000
  const watching = new AbortController()
  void watch(() => `${load.accepted()} tasks, ${sum(faults)} faults`, say, watching.signal)
  await strikeAll(withClient(deployment, client), course.kinds, { random, untilMs, pauseMs, record, failed })
  await sleep(coolDownMs)
  await load.stop().catch((error) => failed('the load', error))
  watching.abort()
  await quiet(deployment, course).catch((error) => failed('waiting for the end of all tasks', error))
  receiver.close()
  return { faults, accepted: load.accepted() }
}

function withClient(deployment: Deployment, client: Client): System {
  let planted = 0
  return {
    ...deployment,
    submit(tasks) {
      const keyed = tasks.map((task) => {
        planted += 1
        const key = `planted-${planted}`
        return client.submitKeyed({ payload: null, ...task }, key)
      })
      return Promise.all(keyed)
    },
    async cancel(id) {
      await client.cancel(id)
    },
    async retry(id) {
      await client.retry(id)
    },
  }
}

const sayEveryMs = 10_000

async function watch(state: () => string, say: (line: string) => void, signal: AbortSignal): Promise<void> {
  for (;;) {
    await sleep(sayEveryMs, undefined, { signal }).catch(() => {})
    if (signal.aborted) return
    say(state())
  }
}

/** Everybody runs, and nothing is left to do. */
async function quiet(deployment: Deployment, { patienceMs }: TrialOptions): Promise<void> {
  await Promise.all([...deployment.apis, ...deployment.workers].map((member) => member.start()))
  await untilQuiet(deployment, patienceMs)
}

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((total, n) => total + n, 0)
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message} (${reasonOf(error.cause)})`
}
