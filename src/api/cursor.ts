import { isUuid } from '../domain/id.ts'
import { Problem } from './problem.ts'

// The version lets a later kind of cursor be told from this one, and this one be refused then.
const version = 'v1:'

/** Where a page ended, as a word that clients need not understand. */
export function cursorOf(id: string): string {
  return Buffer.from(version + id).toString('base64url')
}

/** The name in a cursor of a list that goes by names. Throws the problem `bad-cursor` for anything else. */
export function readNameCursor(cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString('latin1')
  const name = text.slice(version.length)
  if (name === '' || cursorOf(name) !== cursor) throw notOurs()
  return name
}

/** The id in a cursor. Throws the problem `bad-cursor` for anything that `cursorOf` did not make. */
export function readCursor(cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString('latin1')
  const id = text.slice(version.length)
  if (!isUuid(id) || cursorOf(id) !== cursor) throw notOurs()
  return id
}

function notOurs(): Problem {
  return new Problem('bad-cursor', 'the cursor is not the `next` of a page; start again without one')
}
