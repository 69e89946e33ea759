import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import type { FieldProblem } from '../client/index.ts'
import { CommandFailure, exitCode } from './exit-code.ts'
import { type ImportStream, type ImportTarget, openImport } from './import-stream.ts'
import { formatOf, type OutputOptions, print } from './output.ts'
import { type Progress, startProgress } from './progress.ts'
import { lineSubmission } from './submission.ts'
import { counted, grouped, say } from './words.ts'

type FileOptions = OutputOptions & { fields: ReadonlyMap<string, string> }
type Tally = { answered: number; stored: number; refused: number }

const faultsShown = 20

/** Submits a task for each line, as an import; bad lines are reported with their number and the others stored. */
export async function submitFile(target: ImportTarget, path: string, options: FileOptions): Promise<void> {
  const total = path === '-' ? undefined : await lineCount(path)
  const input = path === '-' ? process.stdin : createReadStream(path)
  const body = options.fields.size === 0 ? input : Readable.from(filled(input, options.fields))
  const stream = await openImport(target, body)
  const progress = await startProgress({ label: 'submitting', unit: 'lines', total })
  const tally: Tally = { answered: 0, stored: 0, refused: 0 }
  try {
    await readAnswers(stream, { ...options, tally, progress })
    await stream.sent
  } catch (error) {
    body.destroy()
    progress.say(unclear(tally))
    throw body.errored && body.errored !== error ? body.errored : error
  } finally {
    progress.stop()
    say(summaryOf(tally, stream))
  }
  if (tally.refused > 0) process.exitCode = exitCode.error
}

/** Lines with the fields that they leave open. What is no object goes as it is: the server says what is wrong with it. */
async function* filled(
  input: NodeJS.ReadableStream,
  fields: ReadonlyMap<string, string>,
): AsyncGenerator<string> {
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    const submission = line.trim() === '' ? { text: '' } : lineSubmission(line.replace(/^\ufeff/, ''), fields)
    yield `${'text' in submission ? submission.text : line}\n`
  }
}

type Answer = { line: number; id: string } | { line: number; error: Refusal }
type Refusal = { code: string; detail: string; errors?: FieldProblem[] }
type Reading = OutputOptions & { tally: Tally; progress: Progress }

async function readAnswers({ answers }: ImportStream, reading: Reading): Promise<void> {
  let rest = ''
  for await (const chunk of answers) {
    const lines = (rest + chunk.toString()).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) take(JSON.parse(line), reading)
    reading.progress.update(reading.tally.answered)
  }
}

function take(answer: Answer, { tally, progress, ...options }: Reading): void {
  tally.answered = answer.line
  if ('error' in answer) {
    if (answer.error.code !== 'empty-body') complain(answer.line, answer.error, { tally, progress })
    return
  }
  tally.stored++
  const format = formatOf(options)
  if (format !== 'table') print(format === 'ids' ? answer.id : JSON.stringify(answer))
}

function complain(number: number, refusal: Refusal, { tally, progress }: Omit<Reading, 'output'>): void {
  tally.refused++
  if (tally.refused <= faultsShown) progress.say(`line ${number}: ${faultOf(refusal)}`)
  if (tally.refused === faultsShown) progress.say('further bad lines are counted only')
}

function faultOf({ detail, errors = [] }: Refusal): string {
  if (errors.length === 0) return detail
  return errors
    .map((error) => [error.pointer?.replace(/^#\/?/, ''), error.detail].filter(Boolean).join(': '))
    .join('; ')
}

function unclear({ answered }: Tally): string {
  return `Lines after ${grouped(answered)} may be stored or not: nobody knows. With an idempotencyKey in each, submit the file again: what is there is not stored twice.`
}

function summaryOf({ stored, refused }: Tally, { batchId }: ImportStream): string {
  const bad = refused === 0 ? '' : `, ${counted(refused, 'bad line')} left out`
  return `${counted(stored, 'task')} stored in batch ${batchId}${bad}`
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
