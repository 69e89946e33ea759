import { createHash } from 'node:crypto'
import type { Failure } from './outcome.ts'

/**
 * The same for failures that differ only in what varies from task to task: numbers, ids and quoted text are left
 * out of the message, line numbers out of the top frame of the stack. 16 hex digits.
 */
export function fingerprintOf({ name, message, stack }: Failure): string {
  const shape = [name, shapeOf(message), shapeOf(topFrame(stack))].join('\n')
  return createHash('sha256').update(shape).digest('hex').slice(0, 16)
}

function shapeOf(text: string): string {
  return text
    .slice(0, 500)
    .replace(/"[^"]*"|'[^']*'|`[^`]*`/g, '…')
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}|0x[0-9a-f]+|\d+/gi, '#')
}

/** The line of a stack that names where the error was made; empty without one. */
export function topFrame(stack = ''): string {
  return stack.split('\n').find((line) => line.trimStart().startsWith('at ')) ?? ''
}
