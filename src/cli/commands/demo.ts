import { Command } from 'commander'
import { demoTasks, exampleWorker, follow, submitExamples } from '../demo-run.ts'
import { systemAt } from '../demo-system.ts'
import { withExamples } from '../examples.ts'
import { CommandFailure, exitCode } from '../exit-code.ts'
import { print } from '../output.ts'
import { startProgress } from '../progress.ts'
import { clientOf, defaultUrl, type ServerOptions, withServer } from '../server.ts'
import { summaryLines } from '../summary.ts'
import { counted, say } from '../words.ts'

export function demoCommand(): Command {
  const command = withServer(new Command('demo'))
    .summary('run 1,000 example tasks at once')
    .description(
      'run 1,000 example tasks of 3 seconds each at once; starts a system if none answers, and stops it again',
    )
    .action(interruptibly(demo))
  return withExamples(command, 'millrace demo', 'CONCURRENCY=250 millrace demo')
}

async function demo(options: ServerOptions, signal: AbortSignal): Promise<void> {
  const system = await systemAt(options.url || defaultUrl, signal)
  try {
    say(`Millrace runs at ${system.url}`)
    await showExamples({ ...options, url: system.url }, signal)
  } finally {
    if (system.wasStarted) say('Stopping the system …')
    await system.stop()
  }
}

async function showExamples(options: ServerOptions, signal: AbortSignal): Promise<void> {
  const millrace = clientOf(options)
  await exampleWorker(millrace, signal)
  const batchId = await submitExamples(millrace)
  say(`Submitted ${counted(demoTasks, 'task')} of 3 seconds each`)
  const progress = await startProgress({ label: 'done', unit: 'tasks', total: demoTasks })
  const tasks = await follow(millrace, batchId, { progress, signal }).finally(progress.stop)
  summaryLines(tasks).forEach(print)
  if (tasks.some(({ status }) => status !== 'completed')) throw new CommandFailure('not all tasks completed')
}

/** Whatever was started is stopped before an interrupted command ends. */
function interruptibly(action: (options: ServerOptions, signal: AbortSignal) => Promise<void>) {
  return async (options: ServerOptions) => {
    const stop = new AbortController()
    const interrupt = () => stop.abort()
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, interrupt)
    try {
      await action(options, stop.signal)
    } catch (error) {
      if (!stop.signal.aborted) throw error
      process.exitCode = exitCode.interrupted
    } finally {
      for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeListener(name, interrupt)
    }
  }
}
