import { type Draft, emptyDraft } from './draft.ts'

/** What the form remembers in this browser: the latest submission, and the latest payload of each type. */
type Memory = { draft: Draft; payloads: Record<string, string> }

const place = 'millrace.new-task'
const mostTypes = 30
const longestPayload = 50_000

export function remembered(): Memory {
  try {
    const { draft, payloads } = Object(JSON.parse(localStorage.getItem(place) ?? '{}'))
    return { draft: draftFrom(draft), payloads: textsIn(payloads) }
  } catch {
    return { draft: emptyDraft, payloads: {} }
  }
}

/** Not the idempotency key, which is for one submission. */
export function remember(draft: Draft): void {
  if (draft.payload.length > longestPayload) return
  const others = Object.entries(remembered().payloads).filter(([type]) => type !== draft.type)
  const payloads = Object.fromEntries([...others, [draft.type, draft.payload]].slice(-mostTypes))
  try {
    localStorage.setItem(place, JSON.stringify({ draft: { ...draft, idempotencyKey: '' }, payloads }))
  } catch {
    // Without a place to keep it, it is forgotten.
  }
}

function draftFrom(kept: unknown): Draft {
  const texts = textsIn(kept)
  const known = Object.keys(emptyDraft).filter((name) => texts[name] !== undefined)
  return { ...emptyDraft, ...Object.fromEntries(known.map((name) => [name, texts[name]])) }
}

function textsIn(kept: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(Object(kept)).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}
