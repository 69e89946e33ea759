import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeFolder, removeFolder } from '../../support/folder.ts'
import { until } from '../../support/until.ts'
import { type Client, openClient } from '../system/client.ts'
import { type ClientLine, type HandlerLine, readLines } from '../system/ledger.ts'
import {
  type Cleanups,
  cleanups,
  type Deployment,
  deploy,
  type Ledgers,
  type SystemOptions,
} from '../system/system.ts'
import type { DatabaseServer } from '../trial/fault.ts'
import { seeded } from '../trial/random.ts'
import { observedThrough } from './memory.ts'

/** A system that something is measured on, with a client of its apis; `memoryFile` is for `memoryOf` its members. */
export type Stand = Deployment & { client: Client; memoryFile: string }

type StandOptions = Omit<SystemOptions, 'folder'> & {
  name: string
  seed: number
  /** More settings for the members, of servers that it brings up. */
  prepare?: (undo: Cleanups, folder: string) => Promise<Record<string, string>>
}

/** Sets a system up in a folder of its own, measures, and takes it down again whatever happens. */
export async function withStand<T>(
  { name, seed, settings: more, prepare, ...options }: StandOptions,
  measure: (stand: Stand) => Promise<T>,
): Promise<T> {
  const folder = makeFolder(name)
  const undo = cleanups()
  undo.after(() => removeFolder(folder))
  try {
    const memoryFile = join(folder, 'memory')
    const settings = { ...observedThrough(memoryFile), ...more, ...(await prepare?.(undo, folder)) }
    const deployment = await deploy(undo, { isDirect: true, ...options, settings, folder })
    const urls = deployment.apis.map(({ url }) => url)
    const client = openClient(urls, { ledger: deployment.ledgers.client, random: seeded(seed) })
    return await measure({ ...deployment, client, memoryFile })
  } finally {
    await undo.run()
  }
}

const stepMs = 50
/** Clients that wait for answers do not grow more while there are none. */
const mostOpen = 100

/**
 * Submits tasks with keys at an even rate, each again and again until it is accepted. `stop` resolves with the ids when
 * all are accepted, and rejects when one was not.
 */
export function submitSteadily(client: Client, rate: number, task: (n: number) => { type: string }) {
  const submissions: Promise<string>[] = []
  let open = 0
  let isStopping = false
  const going = go()
  return {
    async stop(): Promise<string[]> {
      isStopping = true
      await going
      return Promise.all(submissions)
    },
  }

  async function go() {
    for (let due = 0; !isStopping; due = Math.min(due + (rate * stepMs) / 1000, rate)) {
      for (; due >= 1 && open < mostOpen; due--) submit(submissions.length)
      await sleep(stepMs)
    }
  }

  function submit(n: number) {
    open++
    const submission = client.submitKeyed(task(n), `steady-${n}`).finally(() => open--)
    submission.catch(() => {}) // heard of at the end
    submissions.push(submission)
  }
}

/**
 * Submits a quick task again and again, whether the one before was answered or not, and each once. `stop` waits for
 * the answers.
 */
export function submitEvery(client: Client, everyMs: number): { stop(): Promise<void> } {
  const stopping = new AbortController()
  const open = new Set<Promise<unknown>>()
  const going = go()
  return {
    async stop() {
      stopping.abort()
      await going
      await Promise.all(open)
    },
  }

  async function go() {
    while (!stopping.signal.aborted) {
      const answer = client.submit([{ type: 'quick', payload: { ms: 1 } }])
      open.add(answer)
      void answer.finally(() => open.delete(answer))
      await sleep(everyMs)
    }
  }
}

/** When the first task started after `at`. */
export function firstStartAfter(
  { ledgers }: Pick<Stand, 'ledgers'>,
  at: number,
  deadlineMs: number,
): Promise<number> {
  const first = () => {
    const lines = readLines<HandlerLine>(ledgers.handlers)
    const starts = lines.filter((line) => line.what === 'started' && line.at > at)
    return starts.length > 0 && Math.min(...starts.map((line) => line.at))
  }
  return until(first, { deadlineMs, what: 'a task starts' })
}

type Counts = { differing: number; failures: number; crashes: number; unfinished: number; missing: number }

/** How far the counts are off, and what happened to the tasks that was not to. */
export async function countsOf({ query }: DatabaseServer, accepted: readonly string[]): Promise<Counts> {
  const [counts] = await query<Counts>(
    `
    with counted as (
      select queue, type, status, count(*)::int as n from millrace.tasks group by queue, type, status
    ), kept as (
      select queue, type, status, sum(n)::int as n from millrace.counters group by queue, type, status having sum(n) <> 0
    )
    select (select count(*)::int from counted full join kept using (queue, type, status)
             where counted.n is distinct from kept.n) as differing,
           (select coalesce(sum(failures), 0)::int from millrace.tasks) as failures,
           (select coalesce(sum(crashes), 0)::int from millrace.tasks) as crashes,
           (select count(*)::int from millrace.tasks where status <> 'completed') as unfinished,
           (select count(*)::int from unnest($1::uuid[]) as a (id) left join millrace.tasks as t using (id)
             where t.id is null) as missing`,
    [accepted],
  )
  return counts!
}

/** Of what clients were refused, what they should not have been, in words. */
export function wrongRefusals({ client }: Ledgers, isRight: (line: Refusal) => boolean): string[] {
  const lines = readLines<ClientLine>(client).filter((line) => line.what === 'refused')
  return lines.filter((line) => !isRight(line)).map((line) => JSON.stringify(line))
}

export type Refusal = Extract<ClientLine, { what: 'refused' }>
