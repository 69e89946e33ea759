import { text } from 'node:stream/consumers'
import { Command, Option } from 'commander'
import type { Call } from '../../client/index.ts'
import { elementTexts, memberTexts } from '../../client/json-text.ts'
import { durationMs, durationWords, positiveNumber } from '../amounts.ts'
import { withExamples } from '../examples.ts'
import { UsageError } from '../exit-code.ts'
import { formatOf, type OutputOptions, printerFor, printOne, withOutput } from '../output.ts'
import { clientOf, type ServerOptions, withServer } from '../server.ts'
import { type Fields, fieldTexts, objectText, payloadText } from '../submission.ts'
import { type Column, factsOf, type Row } from '../table.ts'
import { taskLines } from '../task-view.ts'
import { say } from '../words.ts'

type Options = ServerOptions & OutputOptions
type SetOptions = Options & Fields & { timeZone?: string; catchUp?: string; string?: true }

const outputs = ['table', 'json', 'jsonl'] as const

const columns: readonly Column[] = [
  { title: 'NAME', of: ({ name }) => name },
  { title: 'CRON', width: 20, of: ({ cron }) => cron },
  { title: 'TIME ZONE', width: 16, of: ({ timeZone }) => timeZone },
  { title: 'NEXT', width: 24, of: (row) => (row.paused ? 'paused' : nextRunsOf(row)[0]) },
]

export function schedulesCommand(): Command {
  const command = withServer(withOutput(new Command('schedules'), outputs))
    .description('print the schedules, by name, with the time that comes next')
    .action(printAll)
  return withExamples(command, 'millrace schedules', 'millrace schedules -o jsonl')
}

export function scheduleCommand(): Command {
  const command = new Command('schedule')
    .exitOverride()
    .configureHelp({ subcommandTerm: (subcommand) => subcommand.name() })
    .description('make, change, run and delete a schedule: a task submitted again and again')
  withExamples(
    withServer(withOutput(command.command('get <name>'), outputs))
      .description('print a schedule, with the times that come next')
      .action((name: string, options: Options) => doOne(options, name)),
    'millrace schedule get report',
    'millrace schedule get report -o json',
  )
  setCommand(command)
  withExamples(
    withServer(withOutput(command.command('delete <name>'), outputs))
      .description('delete a schedule; its tasks stay')
      .action((name: string, options: Options) =>
        doOne(options, name, { method: 'DELETE', repeatable: false }),
      ),
    'millrace schedule delete report',
    'millrace schedule delete report -o json > report.json',
  )
  addVerb(command, 'pause', 'submit nothing until it is resumed')
  addVerb(command, 'resume', 'let a paused schedule go on with the time that comes next')
  withExamples(
    withServer(withOutput(command.command('run <name>')))
      .description('submit the task of a schedule now, beside its times')
      .action(runNow),
    'millrace schedule run report',
    'millrace wait "$(millrace schedule run report -o ids)"',
  )
  return withExamples(
    command,
    `millrace schedule set report '30 9 * * 1-5' '{"to":"a@b.c"}' --type report`,
    'millrace schedule run report',
  )
}

function setCommand(schedule: Command): void {
  const command = withServer(withOutput(schedule.command('set <name> <cron> [payload]'), outputs))
    .summary('make or replace a schedule')
    .description(
      'make or replace a schedule. CRON has five fields, or six with the second first;\nthe payload is JSON, what is none is sent as a string, - reads it from stdin',
    )
    .option('--time-zone <name>', 'whose clocks CRON speaks of (default: UTC)')
    .addOption(
      new Option('--catch-up <policy>', 'times missed in an outage (default: latest)').choices([
        'none',
        'latest',
        'all',
      ]),
    )
    .option('--string', 'the payload is text, not JSON')
    .option('--type <type>', 'which handler does the work')
    .option('--queue <queue>', 'where the tasks wait')
    .addOption(new Option('--priority <priority>').choices(['low', 'normal', 'high']))
    .option('--max-attempts <n>', 'how often a task may fail', positiveNumber)
    .option('--timeout <duration>', `limit of one attempt: ${durationWords}`, durationMs)
    .option('--callback <url>', 'where each task is posted once it is final')
    .action(setOne)
  withExamples(
    command,
    `millrace schedule set report '30 9 * * 1-5' '{"to":"a@b.c"}' --type report`,
    `millrace schedule set tidy '*/5 * * * *' --time-zone Europe/Berlin --catch-up none`,
  )
}

function addVerb(schedule: Command, verb: 'pause' | 'resume', description: string): void {
  withExamples(
    withServer(withOutput(schedule.command(`${verb} <name>`), outputs))
      .description(description)
      .action((name: string, options: Options) => doOne(options, name, { method: 'POST', verb })),
    `millrace schedule ${verb} report`,
    `millrace schedule ${verb} report -o json`,
  )
}

async function printAll(options: Options): Promise<void> {
  const printer = printerFor(options, columns)
  const millrace = clientOf(options)
  let count = 0
  for (let cursor: string | undefined, isLast = false; !isLast; isLast = cursor === undefined) {
    const query = { limit: 200, cursor }
    const members = memberTexts(
      (await millrace.request({ path: '/schedules', query, repeatable: true })).text,
    )
    const rows = elementTexts(members.get('data') ?? '[]')
    printer.rows(rows)
    count += rows.length
    cursor = JSON.parse(members.get('page') ?? '{}').next ?? undefined
  }
  printer.end()
  if (count === 0 && formatOf(options) === 'table')
    say('There is no schedule: make one with `millrace schedule set`.')
}

async function setOne(name: string, cron: string, payload = 'null', options: SetOptions): Promise<void> {
  const json = payloadText(payload === '-' ? await text(process.stdin) : payload, {
    string: options.string === true,
  })
  const { timeZone, catchUp } = options
  const rule = Object.entries({ cron, timeZone, catchUp }).flatMap(([field, value]) =>
    value === undefined ? [] : [[field, JSON.stringify(value)] as const],
  )
  const task = objectText([['payload', json], ...fieldTexts(options)])
  const body = objectText([...rule, ['task', task]])
  return doOne(options, name, { method: 'PUT', body })
}

async function runNow(name: string, options: Options): Promise<void> {
  const reply = await clientOf(options).request({
    method: 'POST',
    path: pathOf(name, '/run'),
    headers: { 'idempotency-key': `cli-${crypto.randomUUID()}` },
    repeatable: true,
  })
  printOne(options, reply.text, taskLines(reply.text))
}

async function doOne(
  options: Options,
  name: string,
  { verb, ...call }: Partial<Call> & { verb?: string } = {},
): Promise<void> {
  const path = pathOf(name, verb === undefined ? '' : `/${verb}`)
  const { text } = await clientOf(options).request({ repeatable: true, ...call, path })
  printOne(options, text, linesOf(text))
}

function pathOf(name: string, verb = ''): string {
  if (name.trim() === '') throw new UsageError('the name of a schedule is empty')
  return `/schedules/${encodeURIComponent(name.trim())}${verb}`
}

function nextRunsOf({ nextRuns }: Row): unknown[] {
  return Array.isArray(nextRuns) ? nextRuns : []
}

/** One schedule for people; the task by its own text. */
function linesOf(text: string): (schedule: Row) => string[] {
  const task = memberTexts(text).get('task') ?? ''
  return ({ nextRuns, task: _, ...schedule }) => {
    const facts = Object.entries(schedule)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [name, String(value)] as const)
    const runs = nextRunsOf({ nextRuns }).map((at, i) => [i === 0 ? 'next' : '', String(at)] as const)
    return factsOf([...facts, ['task', task], ...runs])
  }
}
