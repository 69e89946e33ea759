import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../trial/fault.ts'
import type { Client, Submission } from './client.ts'

/** Clients that do everything at once, until they are told to stop. */
export type Load = {
  /** Asks for nothing new; resolves when all that was asked for was answered. */
  stop(): Promise<void>
  /** Tasks that were accepted. */
  accepted(): number
}

const stepMs = 10
const mostOpen = 120
const recentIds = 500

type Action = { weight: number; act: () => Promise<void>; tasks: number }

/**
 * Submits about `rate` tasks a second, one by one, with keys and in batches, and cancels, retries and reads them. At
 * `callbackUrl` somebody wants to be told of the ends of some.
 */
export function startLoad(
  client: Client,
  { rate, random, callbackUrl }: { rate: number; random: Random; callbackUrl?: string },
): Load {
  const recent: string[] = []
  const stopped: string[] = []
  const inHand = new Set<Promise<void>>()
  const stopping = new AbortController()
  const told = callbackUrl === undefined ? {} : { callbackUrl }
  let accepted = 0
  let keys = 0
  let marks = 0
  const going = go()
  return { stop, accepted: () => accepted }

  async function stop(): Promise<void> {
    stopping.abort()
    await going
    await Promise.all(inHand)
  }

  async function go(): Promise<void> {
    let due = 0
    while (!stopping.signal.aborted) {
      due = Math.min(due + (rate * stepMs) / 1000, rate)
      while (due > 0 && inHand.size < mostOpen) {
        const { act, tasks } = drawAction()
        due -= tasks
        hold(act())
      }
      await sleep(stepMs)
    }
  }

  function hold(action: Promise<void>): void {
    const held = action.finally(() => inHand.delete(held))
    inHand.add(held)
  }

  function drawAction(): Action {
    const size = random.between(2, random.pick([5, 20, 200]))
    return weighted(
      [
        { weight: 8, tasks: size, act: () => submit(size) },
        { weight: 30, tasks: 1, act: () => submit(1) },
        { weight: 25, tasks: 1, act: submitKeyed },
        { weight: 18, tasks: 0, act: cancel },
        { weight: 6, tasks: 0, act: retry },
        { weight: 13, tasks: 0, act: read },
      ],
      random,
    )
  }

  async function submit(count: number): Promise<void> {
    const { type } = drawTask()
    const tasks = Array.from({ length: count }, () => drawTask(type))
    // biome-ignore lint/suspicious/noThenProperty: the name of a member of the body
    const atEnd = { ...told, then: { ...drawTask('quick'), ...told } }
    took(type, await client.submit(tasks, count > 1 ? atEnd : {}))
  }

  async function submitKeyed(): Promise<void> {
    const task = drawTask()
    keys += 1
    took(task.type, [await client.submitKeyed(task, `load-${keys}`)])
  }

  function took(type: string, ids: readonly string[]): void {
    accepted += ids.length
    recent.push(...ids)
    recent.splice(0, recent.length - recentIds)
    if (type === 'doomed') remember(ids)
  }

  async function cancel(): Promise<void> {
    if (recent.length === 0) return
    const id = random.pick(recent)
    if ((await client.cancel(id)) === 'canceled') remember([id])
  }

  async function retry(): Promise<void> {
    const id = stopped.splice(random.between(0, Math.max(0, stopped.length - 1)), 1)[0]
    if (id !== undefined) await client.retry(id)
  }

  async function read(): Promise<void> {
    if (recent.length > 0) await client.read(random.pick(recent))
  }

  function remember(ids: readonly string[]): void {
    stopped.push(...ids)
    stopped.splice(0, stopped.length - recentIds)
  }

  function drawTask(type = weighted(types, random).type): Submission {
    const ms = type === 'slow' ? random.between(500, 3_000) : random.between(0, 10)
    const delayMs = random.between(1, 20) === 1 ? random.between(100, 2_000) : undefined
    const priority = random.pick(['low', 'normal', 'normal', 'high'] as const)
    marks += 1
    return {
      type,
      payload: { ms, mark: `load-${marks}` },
      priority,
      ...(delayMs === undefined ? {} : { delayMs }),
      ...(random.between(1, 20) === 1 ? told : {}),
    }
  }
}

const types = [
  { weight: 72, type: 'quick' },
  { weight: 15, type: 'slow' },
  { weight: 8, type: 'flaky' },
  { weight: 5, type: 'doomed' },
]

function weighted<T extends { weight: number }>(list: readonly T[], random: Random): T {
  const total = list.reduce((sum, { weight }) => sum + weight, 0)
  let left = random.next() * total
  for (const item of list) {
    left -= item.weight
    if (left < 0) return item
  }
  throw new Error('nothing to draw from')
}
