import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { JsonText } from '../domain/task.ts'
import type { TaskDefinition } from './define-task.ts'
import { InvalidInputError, messageOf } from './failure.ts'

const mostIssues = 20

/**
 * The payload as the definition's handler wants it; a promise only if the schema answers with one. Fails with
 * an InvalidInputError that names each issue and its place.
 */
export function readInput(definition: TaskDefinition, payload: JsonText): unknown {
  const value = parse(payload)
  if (!definition.input) return value
  const checked = definition.input['~standard'].validate(value)
  return 'then' in checked ? Promise.resolve(checked).then(outputOf) : outputOf(checked)
}

function parse(payload: JsonText): unknown {
  try {
    return JSON.parse(payload)
  } catch (error) {
    throw new InvalidInputError(`the payload is not JSON: ${messageOf(error)}`)
  }
}

function outputOf(checked: StandardSchemaV1.Result<unknown>): unknown {
  if (!checked.issues) return checked.value
  const shown = checked.issues.slice(0, mostIssues).map((issue) => `${pointerOf(issue)}: ${issue.message}`)
  const more = checked.issues.length - shown.length
  if (more > 0) shown.push(`and ${more} more`)
  throw new InvalidInputError(`the payload is invalid: ${shown.join('; ')}`)
}

/** A JSON pointer, as in the replies of the API. */
function pointerOf({ path = [] }: StandardSchemaV1.Issue): string {
  const keys = path.map((segment) => String(typeof segment === 'object' ? segment.key : segment))
  return ['#', ...keys.map((key) => key.replaceAll('~', '~0').replaceAll('/', '~1'))].join('/')
}
