import { Command } from 'commander'
import { positiveNumber } from '../amounts.ts'
import { mustBeServed, type Plan, submitAll, untilFinal } from '../bench-run.ts'
import { withExamples } from '../examples.ts'
import { CommandFailure } from '../exit-code.ts'
import { print } from '../output.ts'
import { type Progress, startProgress } from '../progress.ts'
import { clientOf, type ServerOptions, withServer } from '../server.ts'
import { payloadText } from '../submission.ts'
import { percentilesOf, summaryLines } from '../summary.ts'
import { factsOf } from '../table.ts'
import { grouped } from '../words.ts'

type BenchOptions = ServerOptions & Omit<Plan, 'payload'> & { payload: string }

export function benchCommand(): Command {
  const command = withServer(new Command('bench'))
    .summary('measure an installation with tasks of your own')
    .description(
      'submit tasks, wait until all are final, and tell how long requests, waiting and running took; the tasks are real: their handler runs',
    )
    .option('--type <type>', 'which handler does the work', 'default')
    .option('--payload <json>', 'of each task', '"a benchmark"')
    .option('--tasks <n>', 'how many', positiveNumber, 1_000)
    .option('--batch <n>', 'how many in one request', positiveNumber, 100)
    .option('--connections <n>', 'how many requests at once', positiveNumber, 8)
    .action(bench)
  return withExamples(
    command,
    'millrace bench',
    `millrace bench --type mail.send --payload '{"dryRun":true}' --tasks 20000`,
  )
}

async function bench({ payload, ...options }: BenchOptions): Promise<void> {
  const millrace = clientOf(options)
  const plan: Plan = { ...options, payload: JSON.parse(payloadText(payload)) }
  await mustBeServed(millrace, plan)
  const { batchIds, requestMs, tookMs } = await withProgress('submitted', plan, (progress) =>
    submitAll(millrace, plan, progress),
  )
  const tasks = await withProgress('done', plan, (progress) => untilFinal(millrace, batchIds, progress))
  const submitted = `${grouped(plan.tasks / (tookMs / 1000))} tasks/s in requests of ${grouped(plan.batch)}`
  factsOf([
    ['submitted', submitted],
    ['requests', percentilesOf(requestMs)],
  ]).forEach(print)
  summaryLines(tasks).forEach(print)
  if (tasks.some(({ status }) => status !== 'completed')) throw new CommandFailure('not all tasks completed')
}

async function withProgress<T>(
  label: string,
  { tasks }: Plan,
  work: (progress: Progress) => Promise<T>,
): Promise<T> {
  const progress = await startProgress({ label, unit: 'tasks', total: tasks })
  try {
    return await work(progress)
  } finally {
    progress.stop()
  }
}
