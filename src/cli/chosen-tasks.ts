import { createInterface } from 'node:readline/promises'
import { type Command, Option } from 'commander'
import { ConnectionError, type Millrace, MillraceError, type TaskPage } from '../client/index.ts'
import { elementTexts, memberTexts } from '../client/json-text.ts'
import { parseReply } from '../client/reply.ts'
import { eachTask } from './each-task.ts'
import { CommandFailure, exitCode, UsageError } from './exit-code.ts'
import { report } from './failure.ts'
import { type Filters, filterQuery, withFilters } from './filters.ts'
import { formatOf, type OutputOptions, printerFor } from './output.ts'
import { type Progress, startProgress } from './progress.ts'
import { clientOf, type ServerOptions } from './server.ts'
import { taskPath } from './task-path.ts'
import { taskColumns } from './task-view.ts'
import { counted, say } from './words.ts'

/** What is done to tasks, and in which statuses it can be. */
type Deed = { verb: 'cancel' | 'retry'; done: string; statuses: readonly string[] }
type Options = ServerOptions & OutputOptions & Filters & { all?: true; yes?: true }

/** `cancel` or `retry`: of tasks that are named, or of all that a filter chooses. */
export function chosenTasksCommand(command: Command, deed: Deed): Command {
  return withFilters(command.argument('[id...]'), deed.statuses)
    .addOption(new Option('--all', `all that can be ${deed.done}`))
    .option('-y, --yes', 'do not ask')
    .action((ids: string[], options: Options) => {
      const isFilter = options.all === true || Object.values(filterQuery(options)).some((value) => value)
      const problem = contradiction(ids, isFilter, { deed, ...options })
      if (problem !== undefined) throw new UsageError(problem)
      if (isFilter) return byFilter(clientOf(options), deed, options)
      return eachTask(clientOf(options), ids, { ...options, verb: deed.verb })
    })
}

function contradiction(
  ids: readonly string[],
  isFilter: boolean,
  { deed, status, yes }: { deed: Deed; status?: string; yes?: true },
): string | undefined {
  if (ids.length > 0 && isFilter) return 'ids and filters exclude each other'
  if (ids.length === 0 && !isFilter) return `there is nothing to ${deed.verb}: give ids, a filter or --all`
  const odd = status?.split(',').find((word) => !deed.statuses.includes(word))
  if (odd !== undefined)
    return `tasks that are ${odd} cannot be ${deed.done}, only ${deed.statuses.join(', ')}`
  if (isFilter && !yes && !isTerminal())
    return `without a terminal nobody can be asked: --yes says that all of them are meant`
  return undefined
}

function isTerminal(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true
}

async function byFilter(millrace: Millrace, deed: Deed, options: Options): Promise<void> {
  const ids = await chosenIds(millrace, { ...options, status: options.status ?? deed.statuses.join(',') })
  if (ids.length === 0) return say('No task fits.')
  if (!options.yes && !(await agreed(`${capitalized(deed.verb)} ${counted(ids.length, 'task')}?`)))
    throw new CommandFailure('nothing was done')
  await doToAll(millrace, ids, { deed, options })
}

const largestPage = 200

/** All ids first, so that the question can tell how many, and no task that comes later is meant. */
async function chosenIds(millrace: Millrace, filters: Filters): Promise<string[]> {
  const progress = await startProgress({ label: 'looking', unit: 'tasks' })
  const ids: string[] = []
  let cursor: string | undefined
  try {
    do {
      const query = { ...filterQuery(filters), limit: largestPage, cursor }
      const reply = await millrace.request({ path: '/tasks', query, repeatable: true })
      for (const row of elementTexts(memberTexts(reply.text).get('data') ?? '[]'))
        ids.push(JSON.parse(memberTexts(row).get('id') ?? '""'))
      const { page } = parseReply<Pick<TaskPage, 'page'>>(reply)
      cursor = page.next ?? undefined
      // A filter that no index serves is searched for in steps of a second: then it helps to see how far it is.
      progress.update(ids.length, page.searchedTo ? `back to ${madeAt(page.searchedTo)}` : undefined)
    } while (cursor !== undefined)
  } finally {
    progress.stop()
  }
  return ids
}

/** An id begins with the milliseconds at which it was made. */
function madeAt(id: string): string {
  return new Date(Number.parseInt(id.replace('-', '').slice(0, 12), 16)).toISOString()
}

async function agreed(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim())
  } finally {
    terminal.close()
  }
}

/** Requests at the same time; the server gathers them into one statement. */
const atOnce = 64

type Doing = { deed: Deed; options: Options }

/** Does it to all of them, and says how many had moved on meanwhile; only something else is an error. */
async function doToAll(millrace: Millrace, ids: readonly string[], { deed, options }: Doing): Promise<void> {
  const progress = await startProgress({ label: `${deed.verb}ing`, unit: 'tasks', total: ids.length })
  const printer = formatOf(options) === 'table' ? undefined : printerFor(options, taskColumns)
  const tally = { done: 0, passed: 0, failed: 0 }
  const left = ids.values()
  const lane = async () => {
    for (const id of left) {
      const text = await doOne(millrace, id, { deed, tally, progress })
      if (text !== undefined) printer?.rows([text])
      progress.update(tally.done + tally.passed + tally.failed)
    }
  }
  try {
    await Promise.all(Array.from({ length: atOnce }, lane))
    printer?.end()
  } finally {
    progress.stop()
    say(summaryOf(deed, tally))
  }
  if (tally.failed > 0) process.exitCode = exitCode.error
}

type Tally = { done: number; passed: number; failed: number }
type One = { deed: Deed; tally: Tally; progress: Progress }

async function doOne(millrace: Millrace, id: string, { deed, tally }: One): Promise<string | undefined> {
  try {
    const path = taskPath(id, deed.verb)
    const { text } = await millrace.request({ method: 'POST', path, repeatable: deed.verb === 'cancel' })
    tally.done++
    return text
  } catch (error) {
    if (error instanceof ConnectionError) throw error
    if (error instanceof MillraceError && (error.status === 409 || error.status === 404)) tally.passed++
    else {
      tally.failed++
      report(error)
    }
    return undefined
  }
}

function summaryOf({ done }: Deed, tally: Tally): string {
  const passed = tally.passed > 0 ? [`${counted(tally.passed, 'task')} had moved on`] : []
  const failed = tally.failed > 0 ? [`${counted(tally.failed, 'task')} could not be`] : []
  return [`${counted(tally.done, 'task')} ${done}`, ...passed, ...failed].join(', ')
}

function capitalized(word: string): string {
  return word[0]!.toUpperCase() + word.slice(1)
}
