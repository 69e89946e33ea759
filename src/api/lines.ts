import { isUtf8 } from 'node:buffer'
import { Problem } from './problem.ts'

const newline = 0x0a
const mark = Buffer.from([0xef, 0xbb, 0xbf])

/** A line as text, or what is wrong with its bytes. */
export type Line = string | Problem

/**
 * Cuts bytes into lines, as they come. A line of more than `longest` bytes is dropped as it comes and becomes a Problem;
 * what follows the last line end is a line if it is not empty. Fails when the bytes do, without that last one.
 */
export async function* linesOf(chunks: AsyncIterable<Buffer>, longest: number): AsyncGenerator<Line[]> {
  const rest = restOfLine(longest)
  let isFirst = true
  for await (const whole of chunks) {
    const chunk = isFirst && whole.subarray(0, 3).equals(mark) ? whole.subarray(3) : whole
    isFirst = false
    const end = chunk.lastIndexOf(newline)
    if (end < 0) {
      rest.add(chunk)
      continue
    }
    const firstEnd = chunk.indexOf(newline)
    rest.add(chunk.subarray(0, firstEnd))
    yield end > firstEnd ? [rest.take(), ...textsOf(chunk.subarray(firstEnd + 1, end))] : [rest.take()]
    rest.add(chunk.subarray(end + 1))
  }
  if (!rest.isEmpty()) yield [rest.take()]
}

/** The beginning of a line whose end has not come yet. */
function restOfLine(longest: number) {
  let parts: Buffer[] = []
  let bytes = 0
  return {
    isEmpty: () => bytes === 0,
    add(part: Buffer) {
      bytes += part.length
      if (bytes > longest) parts = []
      else if (part.length > 0) parts.push(part)
    },
    take(): Line {
      const line =
        bytes > longest
          ? new Problem('body-too-large', `the line has more than ${longest} bytes`)
          : textOf(Buffer.concat(parts))
      parts = []
      bytes = 0
      return line
    },
  }
}

/** All at once if there is nothing wrong: a call for each line would cost as much as reading it. */
function textsOf(bytes: Buffer): Line[] {
  if (isUtf8(bytes)) return bytes.toString().split('\n')
  const lines: Line[] = []
  for (let at = 0; at <= bytes.length; ) {
    const end = bytes.indexOf(newline, at)
    const until = end < 0 ? bytes.length : end
    lines.push(textOf(bytes.subarray(at, until)))
    at = until + 1
  }
  return lines
}

function textOf(bytes: Buffer): Line {
  return isUtf8(bytes)
    ? bytes.toString()
    : new Problem('invalid-utf8', 'the line has bytes that are not UTF-8')
}
