import type { BatchContext, TaskContext } from '../handlers/context.ts'
import type { BatchTask, SingleTask, TaskDefinition } from '../handlers/define-task.ts'

/** Errors that handlers are to fail with, by type, first come first served. */
export function plannedFailures() {
  const planned = new Map<string, unknown[]>()
  return { plan, failing }

  function plan(type: string, errors: readonly unknown[]) {
    planned.set(type, [...(planned.get(type) ?? []), ...errors])
  }

  /** The same task, whose handler is not called where a failure is planned. */
  function failing(definition: TaskDefinition): TaskDefinition {
    return 'run' in definition ? failingSingle(definition) : failingBatch(definition)
  }

  function failingSingle(definition: SingleTask): TaskDefinition {
    return {
      ...definition,
      run(input: unknown, context: TaskContext) {
        const next = take(definition.type, 1)
        if (next.length > 0) throw next[0]
        return definition.run(input, context)
      },
    }
  }

  function failingBatch(definition: BatchTask): TaskDefinition {
    return {
      ...definition,
      async runBatch(inputs: readonly unknown[], context: BatchContext) {
        const failed = take(definition.type, inputs.length).map(asError)
        const from = failed.length
        if (from === inputs.length) return failed
        const rest = { ...context, log: context.log, tasks: context.tasks.slice(from) }
        return [...failed, ...(await definition.runBatch(inputs.slice(from), rest))]
      },
    }
  }

  function take(type: string, most: number): unknown[] {
    return planned.get(type)?.splice(0, most) ?? []
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}
