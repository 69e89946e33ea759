import { createInterface } from 'node:readline/promises'
import { type Command, Option } from 'commander'
import type { BulkAction, BulkFilter, Millrace } from '../client/index.ts'
import { eachTask } from './each-task.ts'
import { CommandFailure, exitCode, UsageError } from './exit-code.ts'
import { type Filters, filterQuery, withFilters } from './filters.ts'
import { formatOf, type OutputOptions, printOne } from './output.ts'
import { startProgress } from './progress.ts'
import { clientOf, type ServerOptions } from './server.ts'
import { counted, say } from './words.ts'

/** What is done to tasks, and in which statuses it can be. */
type Deed = { verb: BulkAction['action']; doing: string; done: string; statuses: readonly string[] }
type Options = ServerOptions & OutputOptions & Filters & { all?: true; yes?: true }

/** `cancel`, `retry` or `delete`: of tasks that are named, or of all that a filter chooses. */
export function chosenTasksCommand(command: Command, deed: Deed): Command {
  return withFilters(command.argument('[id...]'), deed.statuses)
    .addOption(new Option('--all', `all that can be ${deed.done}`))
    .option('-y, --yes', 'do not ask')
    .action((ids: string[], options: Options) => {
      const isFilter = options.all === true || Object.values(filterQuery(options)).some((value) => value)
      const problem = contradiction(ids, isFilter, { deed, ...options })
      if (problem !== undefined) throw new UsageError(problem)
      const { verb } = deed
      if (isFilter) return inBulk(clientOf(options), definedOf(filterQuery(options)), { deed, options })
      if (verb === 'delete') return inBulk(clientOf(options), { ids }, { deed, options })
      return eachTask(clientOf(options), ids, { ...options, verb })
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
  if ((isFilter || deed.verb === 'delete') && !yes && !isTerminal())
    return `without a terminal nobody can be asked: --yes says that all of them are meant`
  return undefined
}

function isTerminal(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true
}

function definedOf(filter: ReturnType<typeof filterQuery>): BulkFilter {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined))
}

type Doing = { deed: Deed; options: Options }

/** Counted first by the server, so that the question can tell how many, and no task that comes later is meant. */
async function inBulk(millrace: Millrace, filter: BulkFilter, { deed, options }: Doing): Promise<void> {
  const { bulkActions } = millrace
  const created = await bulkActions.create(deed.verb, filter)
  const abort = () => bulkActions.abort(created.id).catch(() => {})
  // In place of ending at once: what nobody waits for any more is not to go on.
  process.removeAllListeners('SIGINT').once('SIGINT', () => {
    void abort().then(() => process.exit(exitCode.interrupted))
  })
  const ready = await until(millrace, created, { label: 'looking', status: 'counting' })
  if (ready.matched === 0) {
    await abort()
    return say('No task fits.')
  }
  if (!options.yes && !(await agreed(`${capitalized(deed.verb)} ${counted(ready.matched, 'task')}?`))) {
    await abort()
    throw new CommandFailure('nothing was done')
  }
  const begun = await bulkActions.start(created.id)
  report(await until(millrace, begun, { label: deed.doing, status: 'running' }), { deed, options })
}

const lookEveryMs = 200

/** Shows how far it is, until it is not in that status any more. */
async function until(
  { bulkActions }: Millrace,
  action: BulkAction,
  { label, status }: { label: string; status: BulkAction['status'] },
): Promise<BulkAction> {
  if (action.status !== status) return action
  const isCounting = status === 'counting'
  const total = isCounting ? undefined : action.matched
  const progress = await startProgress({ label, unit: 'tasks', ...(total === undefined ? {} : { total }) })
  try {
    let latest = action
    while (latest.status === status) {
      progress.update(isCounting ? latest.matched : latest.done + latest.skipped)
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs))
      latest = await bulkActions.get(action.id)
    }
    return latest
  } finally {
    progress.stop()
  }
}

function report(action: BulkAction, { deed, options }: Doing): void {
  if (formatOf(options) !== 'table') printOne(options, JSON.stringify(action), () => [])
  const skipped = action.skipped > 0 ? [`${counted(action.skipped, 'task')} had moved on`] : []
  const left = action.matched - action.done - action.skipped
  const kept = left > 0 ? [`${counted(left, 'task')} left as they were`] : []
  say([`${counted(action.done, 'task')} ${deed.done}`, ...skipped, ...kept].join(', '))
  if (action.status === 'done') return
  process.exitCode = exitCode.error
  say(action.error ? `It failed: ${action.error}.` : `It was ${action.status}.`)
}

async function agreed(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim())
  } finally {
    terminal.close()
  }
}

function capitalized(word: string): string {
  return word[0]!.toUpperCase() + word.slice(1)
}
