import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import type { Millrace } from '../client/index.ts'
import { CommandFailure, exitCode } from './exit-code.ts'
import { formatOf, type OutputOptions, print } from './output.ts'
import { type Progress, startProgress } from './progress.ts'
import { lineSubmission } from './submission.ts'
import { type Line, type Refused, submitLines } from './submit-lines.ts'
import { counted, say } from './words.ts'

type FileOptions = OutputOptions & { fields: ReadonlyMap<string, string> }
type Tally = { stored: number; refused: number }

const largestBatch = 1_000
/** Half of what the server takes, and room for a line of the largest size. */
const largestBatchBytes = 8 * 1024 * 1024
const faultsShown = 20

/** Submits a task for each line, in batches; bad lines are reported with their number and the others stored. */
export async function submitFile(millrace: Millrace, path: string, options: FileOptions): Promise<void> {
  const total = path === '-' ? undefined : await lineCount(path)
  const progress = await startProgress({ label: 'submitting', unit: 'lines', total })
  const tally: Tally = { stored: 0, refused: 0 }
  try {
    for await (const lines of ahead(batches(path))) {
      await storeBatch(millrace, lines, { ...options, tally, progress })
      progress.update(lines.at(-1)!.number)
    }
  } finally {
    progress.stop()
    say(summaryOf(tally))
  }
  if (tally.refused > 0) process.exitCode = exitCode.error
}

type Storing = FileOptions & { tally: Tally; progress: Progress }

async function storeBatch(
  millrace: Millrace,
  lines: readonly RawLine[],
  { fields, tally, ...rest }: Storing,
) {
  const good: Line[] = []
  const bad: Refused[] = []
  for (const { number, text } of lines) {
    const submission = lineSubmission(text, fields)
    if ('fault' in submission) bad.push({ number, fault: submission.fault })
    else good.push({ number, text: submission.text })
  }
  const { stored, refused } = await submitLines(millrace, good)
  if (formatOf(rest) !== 'table')
    stored.forEach((line) => void print(formatOf(rest) === 'ids' ? line.id : lineJson(line)))
  tally.stored += stored.length
  for (const fault of [...bad, ...refused].sort((a, b) => a.number - b.number))
    complain(fault, tally, rest.progress)
}

function lineJson({ number, id }: { number: number; id: string }): string {
  return JSON.stringify({ line: number, id })
}

function complain({ number, fault }: Refused, tally: Tally, progress: Progress): void {
  tally.refused++
  if (tally.refused <= faultsShown) progress.say(`line ${number}: ${fault}`)
  if (tally.refused === faultsShown) progress.say('further bad lines are counted only')
}

function summaryOf({ stored, refused }: Tally): string {
  const bad = refused === 0 ? '' : `, ${counted(refused, 'bad line')} left out`
  return `${counted(stored, 'task')} stored${bad}`
}

/** The next batch is read while the last one is under way. */
async function* ahead<Batch>(source: AsyncGenerator<Batch>): AsyncGenerator<Batch> {
  let next = source.next()
  try {
    for (let read = await next; !read.done; read = await next) {
      next = source.next()
      next.catch(() => {}) // heard when its turn has come
      yield read.value
    }
  } finally {
    void source.return(undefined)
  }
}

type RawLine = { number: number; text: string }

async function* batches(path: string): AsyncGenerator<RawLine[]> {
  let lines: RawLine[] = []
  let sizeBytes = 0
  let number = 0
  const input = path === '-' ? process.stdin : createReadStream(path)
  for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    number++
    if (text.trim() === '') continue
    const lineBytes = Buffer.byteLength(text)
    if (lines.length === largestBatch || (lines.length > 0 && sizeBytes + lineBytes > largestBatchBytes)) {
      yield lines
      lines = []
      sizeBytes = 0
    }
    lines.push({ number, text: number === 1 ? text.replace(/^\ufeff/, '') : text })
    sizeBytes += lineBytes
  }
  if (lines.length > 0) yield lines
}

/** Counted first, so that the bar knows its end; pipes cannot be read twice. */
async function lineCount(path: string): Promise<number | undefined> {
  const about = await stat(path).catch((cause) => {
    throw new CommandFailure(`the file ${path} cannot be read: ${cause.message}`, exitCode.error, cause)
  })
  if (about.isDirectory()) throw new CommandFailure(`${path} is a folder, not a file of lines`)
  if (!about.isFile()) return undefined
  let count = 0
  let last = 10
  for await (const chunk of createReadStream(path)) {
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) count++
    last = chunk.at(-1)
  }
  return last === 10 ? count : count + 1
}
