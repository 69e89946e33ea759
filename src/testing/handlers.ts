import { isTaskDefinition, type TaskDefinition } from '../handlers/define-task.ts'
import { type Handlers, loadHandlers } from '../handlers/load-handlers.ts'

/** Definitions, an object that has some (such as an imported module), or the module or folder that exports them. */
export type Tasks = string | readonly TaskDefinition[] | Readonly<Record<string, unknown>>

/** The handlers of `tasks`, each as `wrap` makes it. Fails with a TypeError where there are none. */
export async function handlersOf(
  tasks: Tasks,
  wrap: (definition: TaskDefinition) => TaskDefinition,
): Promise<Handlers> {
  const { path, definitions } = typeof tasks === 'string' ? await loadHandlers(tasks) : gathered(tasks)
  return { path, definitions: new Map([...definitions].map(([type, task]) => [type, wrap(task)])) }
}

function gathered(tasks: Exclude<Tasks, string>): Handlers {
  const given = Object.values(tasks).filter(isTaskDefinition)
  const definitions = new Map(given.map((task) => [task.type, task]))
  if (definitions.size === 0) throw new TypeError('tasks has no definition, as made by defineTask')
  const twice = given.find((task) => definitions.get(task.type) !== task)
  if (twice) throw new TypeError(`two of the tasks have the type ${twice.type}`)
  return { path: 'the tasks of the test', definitions }
}
