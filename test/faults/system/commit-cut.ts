import type { Tap } from './tunnel.ts'
import {
  boundStatement,
  didNothing,
  isError,
  isReadyForQuery,
  type Message,
  messageReader,
  queryText,
} from './wire.ts'

export type CommitCut = {
  side: 'before' | 'after'
  /** Names of statements: the first of them that comes is cut. */
  statements: readonly string[]
  /** The name of a door, if only connections through it count. */
  who?: string
}

export type CommitCuts = {
  /** Cuts the next connection on which one of the statements is committed. Resolves when that has happened. */
  arm(cut: CommitCut, signal?: AbortSignal): Promise<void>
  /** Follows a connection that came through this door. */
  tap(who: string): Tap
}

type Armed = CommitCut & { struck: () => void; signal: AbortSignal | undefined }

/** Finds commits in what goes through connections to PostgreSQL, and says when a connection is to be reset. */
export function commitCuts(): CommitCuts {
  const armed = new Set<Armed>()
  return {
    arm: (cut, signal) =>
      new Promise((resolve, reject) => {
        const order = { ...cut, struck: resolve, signal }
        armed.add(order)
        signal?.addEventListener('abort', () => {
          armed.delete(order)
          reject(signal.reason)
        })
      }),
    tap: (who) => follow({ take: (statement) => take(statement, who), giveBack }),
  }

  function take(statement: string, who: string): Armed | undefined {
    const cut = armed.values().find((one) => one.statements.includes(statement) && (one.who ?? who) === who)
    if (cut) armed.delete(cut)
    return cut
  }

  /** For another connection: what it was taken for did not come to a commit. */
  function giveBack(cut: Armed): void {
    if (!cut.signal?.aborted) armed.add(cut)
  }
}

type Orders = { take: (statement: string) => Armed | undefined; giveBack: (cut: Armed) => void }

/** Clients wait for each answer before they ask again, so what comes after a commit was sent is its answer. */
function follow({ take, giveBack }: Orders): Tap {
  const clientMessages = messageReader({ opens: true })
  let inTransaction = false
  let cut: Armed | undefined
  let answer: Answer | undefined
  return { fromClient, fromServer, ended: letGo }

  /** Messages go on whole, so that the server never has half of one. */
  function fromClient(bytes: Buffer): Buffer | 'reset' {
    const messages = clientMessages(bytes)
    for (const message of messages) {
      if (!isCommit(message)) continue
      if (cut?.side === 'before') return strike()
      answer ??= heldAnswer()
    }
    return Buffer.concat(messages.map((message) => message.bytes))
  }

  /** Whether what was sent up to here commits what a cut waits for. */
  function isCommit(message: Message): boolean {
    const text = queryText(message)
    if (text === 'begin' || text === 'commit') inTransaction = text === 'begin'
    const statement = boundStatement(message)
    if (statement) cut ??= take(statement)
    return cut !== undefined && !inTransaction
  }

  function fromServer(bytes: Buffer): Buffer | 'reset' {
    const end = answer?.read(bytes)
    if (!answer || end === undefined) return answer ? Buffer.alloc(0) : bytes
    if (end === 'committed') return strike()
    letGo()
    return end
  }

  function strike(): 'reset' {
    cut?.struck()
    cut = undefined
    return 'reset'
  }

  function letGo() {
    if (cut) giveBack(cut)
    cut = undefined
    answer = undefined
  }
}

type Answer = ReturnType<typeof heldAnswer>

/** Holds an answer of the server until it is whole. */
function heldAnswer() {
  const messagesOf = messageReader({ opens: false })
  const held: Buffer[] = []
  let committed = true
  return {
    /** Nothing yet; that something was committed; or, if it was not, the answer to pass on. */
    read(bytes: Buffer): 'committed' | Buffer | undefined {
      const messages = messagesOf(bytes)
      held.push(bytes)
      committed &&= !messages.some((message) => isError(message) || didNothing(message))
      if (!messages.some(isReadyForQuery)) return undefined
      return committed ? 'committed' : Buffer.concat(held)
    },
  }
}
