import type { Millrace } from '../client/index.ts'
import { ConnectionError } from '../client/index.ts'
import { exitCode } from './exit-code.ts'
import { exitCodeFor, report } from './failure.ts'
import { type OutputOptions, printerFor } from './output.ts'
import { taskPath } from './task-path.ts'
import { taskColumns } from './task-view.ts'

/**
 * Does the same to several tasks, in order, and prints each as it is then. One that cannot be done is reported
 * and the others are done all the same; without a server there is no point in going on.
 */
export async function eachTask(
  millrace: Millrace,
  ids: readonly string[],
  { verb, ...output }: OutputOptions & { verb: 'cancel' | 'retry' },
): Promise<void> {
  const printer = printerFor(output, taskColumns)
  let worst: number = exitCode.ok
  for (const id of ids) {
    try {
      const path = taskPath(id, verb)
      const { text } = await millrace.request({ method: 'POST', path, repeatable: verb === 'cancel' })
      printer.rows([text])
    } catch (error) {
      if (error instanceof ConnectionError) throw error
      report(error)
      // Nothing but missing tasks is "not found"; anything else among them is an error.
      worst = worst === exitCode.ok || worst === exitCodeFor(error) ? exitCodeFor(error) : exitCode.error
    }
  }
  printer.end()
  process.exitCode = worst
}
