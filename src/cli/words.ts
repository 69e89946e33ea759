import { styleText } from 'node:util'
import type { Status } from '../client/index.ts'

/** Words for people go to stderr, so that stdout holds data alone. */
export function say(words: string): void {
  process.stderr.write(`${printable(words)}\n`)
}

/**
 * Text of strangers must not command the terminal: control characters, other than the line's end, are shown as �, and so is
 * what turns the direction of writing around, by which text would look like another one.
 */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd')
}

/** The same for JSON, where it can be told as it is: such characters are only inside of strings, and there they have names. */
export function printableJson(text: string): string {
  return text.replace(
    /[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

const colors = {
  scheduled: 'magenta',
  pending: 'yellow',
  processing: 'blue',
  completed: 'green',
  failed: 'red',
  canceled: 'gray',
} as const satisfies Record<Status, string>

/** The word in the color of its status, on a terminal that wants colors. */
export function colored(status: string, padded = status): string {
  const color = Object.entries(colors).find(([name]) => name === status)?.[1]
  return color ? styleText(color, padded, { stream: process.stdout }) : padded
}

export function bold(text: string): string {
  return styleText('bold', text, { stream: process.stdout })
}

/** `1 task`, `2 tasks`, `12,480 tasks`. */
export function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`
}

export function grouped(count: number): string {
  return Math.round(count).toLocaleString('en-US')
}
