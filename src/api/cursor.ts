import { isUuid } from '../domain/id.ts'
import { Problem } from './problem.ts'

// The version lets a later kind of cursor be told from this one, and this one be refused then.
const version = 'v1:'

/** Where a page ended, as a word that clients need not understand. */
export function cursorOf(id: string): string {
  return Buffer.from(version + id).toString('base64url')
}

/** Where a page began, for what is newer than that. */
export function upwardCursorOf(id: string): string {
  return cursorOf(`up:${id}`)
}

/** The word in a cursor of a list that does not go by ids. Throws the problem `bad-cursor` for anything else. */
export function readTextCursor(cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString('latin1')
  const name = text.slice(version.length)
  if (name === '' || cursorOf(name) !== cursor) throw notOurs()
  return name
}

/** The id in a cursor. Throws the problem `bad-cursor` for anything that `cursorOf` did not make. */
export function readCursor(cursor: string): string {
  const { before } = readTaskCursor(cursor)
  if (before === undefined) throw notOurs()
  return before
}

/** The id in a cursor of tasks: before which, or after which in one of `upwardCursorOf`, its page begins. */
export function readTaskCursor(
  cursor: string,
): { before: string; after?: never } | { after: string; before?: never } {
  const word = Buffer.from(cursor, 'base64url').toString('latin1').slice(version.length)
  const [, upward, id] = /^(up:)?(.*)$/.exec(word) ?? []
  if (id === undefined || !isUuid(id) || cursorOf(word) !== cursor) throw notOurs()
  return upward ? { after: id } : { before: id }
}

function notOurs(): Problem {
  return new Problem(
    'bad-cursor',
    'the cursor is not the `next` or `prev` of a page; start again without one',
  )
}
