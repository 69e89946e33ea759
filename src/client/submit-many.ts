import { indexIn, mostCharacters, mostTasks, type Store } from './coalesce.ts'
import { MillraceError } from './errors.ts'

export type AnyIterable<Item> = Iterable<Item> | AsyncIterable<Item>
type AnyIterator<Item> = Iterator<Item> | AsyncIterator<Item>

type Storing<Item> = { store: Store; textOf: (item: Item) => string }

/**
 * Stores any number of submissions, a request of at most 1,000 after the other, and yields their ids in order. While
 * a request is under way, the next one is read, and no further. What was yielded is stored; where it throws, that
 * request and all that comes after it is not.
 */
export async function* storeMany<Item>(
  { store, textOf }: Storing<Item>,
  items: AnyIterable<Item>,
): AsyncGenerator<string, void, undefined> {
  const reader = readAhead(iteratorOf(items), textOf)
  try {
    for (let first = 0; ; ) {
      const texts = await reader.take()
      if (texts.length === 0) return
      yield* await store(texts).catch((error) => {
        throw countedFrom(first, error)
      })
      first += texts.length
    }
  } finally {
    await reader.stop()
  }
}

function iteratorOf<Item>(items: AnyIterable<Item>): AnyIterator<Item> {
  return Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]()
}

/** Reads one request's worth of texts. `take` answers what there is as soon as there is something, nothing at the end. */
function readAhead<Item>(source: AnyIterator<Item>, textOf: (item: Item) => string) {
  let texts: string[] = []
  let characters = 0
  let isReading = false
  let end: { failure?: unknown } | undefined
  let wake = () => {}
  const somethingNew = () => new Promise<void>((resolve) => (wake = resolve))
  return { take, stop }

  async function take(): Promise<string[]> {
    void read()
    while (texts.length === 0 && !end) await somethingNew()
    if (texts.length === 0 && end && 'failure' in end) throw end.failure
    const taken = texts
    texts = []
    characters = 0
    void read()
    return taken
  }

  /** Does not wait where the source does not, so that an array is sent in full requests from the first. */
  async function read(): Promise<void> {
    if (isReading || end) return
    isReading = true
    try {
      while (!end && texts.length < mostTasks && characters < mostCharacters) {
        const next = source.next()
        const { done, value } = 'then' in next ? await next : next
        if (done) end = {}
        else add(textOf(value))
      }
    } catch (failure) {
      end = { failure }
    }
    isReading = false
    wake()
  }

  function add(text: string) {
    texts.push(text)
    characters += text.length
    wake()
  }

  /** A source that is being asked cannot be told to stop before it has answered. */
  async function stop(): Promise<void> {
    const isOver = end !== undefined
    end ??= {}
    if (isOver) return
    const stopped = source.return?.()
    if (!isReading) await stopped
    else Promise.resolve(stopped).catch(() => {})
  }
}

/** The server counts within its request, and a task on its own not at all; callers count what they gave. */
function countedFrom(first: number, error: unknown): unknown {
  if (!(error instanceof MillraceError)) return error
  for (const problem of error.errors) {
    const { pointer } = problem
    if (pointer === undefined) continue
    const field = pointer.replace(/^#?(\/tasks\/\d+)?/, '')
    problem.pointer = `#/tasks/${first + (indexIn(pointer) ?? 0)}${field}`
  }
  return error
}
