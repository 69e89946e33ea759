import type { Database, Statement } from './connection.ts'

const begin = '/* while somebody listens: */'
const end = '/* . */'
const between = /\/\* while somebody listens: \*\/.*?\/\* \. \*\//gs

/** Marks a part of a statement that is left out while nobody listens to moves. */
export function whileListened(part: string): string {
  return `${begin}${part}${end}`
}

type Variants = { plain: Statement; listened: Statement }
const known = new WeakMap<Statement, Variants>()

/** The statement as it is sent. Each variant is prepared under a name of its own. */
export function variantOf(statement: Statement, isListenedTo: () => boolean): Statement {
  let variants = known.get(statement)
  if (!variants) {
    variants = variantsOf(statement)
    known.set(statement, variants)
  }
  return variants.plain === statement || !isListenedTo() ? variants.plain : variants.listened
}

function variantsOf(statement: Statement): Variants {
  const { name, text } = statement
  if (!text.includes(begin)) return { plain: statement, listened: statement }
  return { plain: { name, text: text.replaceAll(between, '') }, listened: { name: `${name} (heard)`, text } }
}

/** How long a process may go on without having looked for listeners. Who begins to listen waits for a little longer. */
const unsureMs = 1_500

export type ListenerWatch = {
  /** Whether somebody may listen; true also while that is not known. */
  isListenedTo(): boolean
  /** To be called every few hundred milliseconds. */
  look(database: Database): Promise<void>
}

const findListener = {
  name: 'listeners.find',
  text: 'select exists (select from event_listeners where listens_until > now())',
}

/** What a process knows of listeners. */
export function listenerWatch(): ListenerWatch {
  let somebody = true
  let askedAtMs = Number.NEGATIVE_INFINITY
  return {
    isListenedTo: () => somebody || performance.now() - askedAtMs > unsureMs,
    async look({ run }) {
      const nowMs = performance.now()
      const [row] = await run<[boolean]>(findListener)
      somebody = row![0]
      askedAtMs = nowMs
    },
  }
}
