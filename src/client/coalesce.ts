import { MillraceError } from './errors.ts'

/** Stores submissions, given as JSON texts, all or none, and answers their ids in order. */
export type Store = (texts: readonly string[]) => Promise<readonly string[]>
type Call = { text: string; resolve: (id: string) => void; reject: (error: unknown) => void }

/** Two, so that one slow request does not hold up everybody; more would only make the requests smaller. */
const lanes = 2
export const mostTasks = 1_000
/** A UTF-16 unit takes three bytes at most, so a request stays within the 16 MiB that the server takes. */
export const mostCharacters = 4 * 1024 * 1024

/**
 * Turns a function over many submissions into one over one. Whatever has gathered goes as soon as a request is done:
 * no timers, and a call on its own goes at once. What the server refuses fails alone, as if it had been sent alone.
 */
export function coalescing(store: Store): (text: string) => Promise<string> {
  let waiting: Call[] = []
  let underWay = 0
  let isPlanned = false

  return (text) =>
    new Promise((resolve, reject) => {
      waiting.push({ text, resolve, reject })
      plan()
    })

  /** After the present turn, so that the calls of one `Promise.all` share a request. */
  function plan() {
    if (isPlanned || underWay >= lanes) return
    isPlanned = true
    queueMicrotask(() => {
      isPlanned = false
      while (underWay < lanes && waiting.length > 0) void go(take())
    })
  }

  function take(): Call[] {
    let count = 0
    for (let characters = 0; count < Math.min(mostTasks, waiting.length); count++) {
      characters += waiting[count]!.text.length
      if (count > 0 && characters > mostCharacters) break
    }
    const calls = waiting.slice(0, count)
    waiting = waiting.slice(count)
    return calls
  }

  async function go(calls: readonly Call[]): Promise<void> {
    underWay++
    await settle(store, calls)
    underWay--
    if (waiting.length > 0) plan()
  }
}

async function settle(store: Store, calls: readonly Call[]): Promise<void> {
  try {
    const ids = await store(calls.map(({ text }) => text))
    calls.forEach((call, at) => {
      call.resolve(ids[at]!)
    })
  } catch (error) {
    if (calls.length > 1 && isRefusal(error)) return settleApart(store, calls, error)
    for (const call of calls) call.reject(error)
  }
}

/** Those that the server names alone, where it names some; else all of them. The others together again. */
async function settleApart(store: Store, calls: readonly Call[], refusal: MillraceError): Promise<void> {
  const named = new Set(refusal.errors.map(({ pointer }) => indexIn(pointer)))
  const isAlone = (at: number) => named.has(at) || !calls.some((_, at) => named.has(at))
  const others = calls.filter((_, at) => !isAlone(at))
  if (others.length > 0) await settle(store, others)
  for (const [at, call] of calls.entries()) if (isAlone(at)) await settle(store, [call])
}

/** Something in the request is at fault, and not the caller's key or the server's load. */
function isRefusal(error: unknown): error is MillraceError {
  return error instanceof MillraceError && [400, 413, 422].includes(error.status ?? 0)
}

/** 17 for `#/tasks/17/type`. */
export function indexIn(pointer = ''): number | undefined {
  const [, index] = pointer.match(/^#?\/tasks\/(\d+)/) ?? []
  return index === undefined ? undefined : Number(index)
}
