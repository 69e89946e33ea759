import { memberTexts } from '../client/json-text.ts'
import { age } from './amounts.ts'
import { type Column, factsOf, type Row } from './table.ts'
import { colored } from './words.ts'

/** Tasks in a table of 80 columns and more. */
export const taskColumns: readonly Column[] = [
  { title: 'ID', width: 36, of: ({ id }) => id },
  {
    title: 'STATUS',
    width: 10,
    of: ({ status }) => status,
    paint: (cell, { status }) => colored(String(status), cell),
  },
  { title: 'TYPE', of: ({ type }) => type },
  { title: 'QUEUE', of: ({ queue }) => queue },
  { title: 'TRY', width: 3, align: 'right', of: ({ attempt }) => attempt },
  { title: 'AGE', width: 4, align: 'right', of: ({ createdAt }) => age(createdAt) },
]

const longestShown = 4_000
/** Members that may be any JSON: `"1"` and `1` must look different. */
const isJson = new Set(['payload', 'result', 'error', 'progress'])

/** One task for people; payload and result by their own text. */
export function taskLines(text: string): (task: Row) => string[] {
  return (task) => {
    const texts = memberTexts(text)
    const facts = Object.entries(task)
      .filter(([name, value]) => value !== null && name !== 'attempts')
      .map(([name, value]) => [name, shown(isJson.has(name) ? texts.get(name) : value)] as const)
    return [...factsOf(facts).map((line) => painted(line, task)), ...attemptLines(task.attempts)]
  }
}

function painted(line: string, { status }: Row): string {
  return line.endsWith(`  ${status}`) ? line.replace(/\S+$/, (word) => colored(word)) : line
}

function shown(value: unknown): string {
  const all = String(value)
  return all.length > longestShown
    ? `${all.slice(0, longestShown)}… (${all.length} characters; -o json has them all)`
    : all
}

function attemptLines(attempts: unknown): string[] {
  if (!Array.isArray(attempts) || attempts.length === 0) return []
  const facts = attempts.map(
    ({ attempt, finishedAt, error }) =>
      [
        `attempt ${attempt}`,
        `${finishedAt}  ${error?.name}: ${error?.message}`.replace(/\s+/g, ' '),
      ] as const,
  )
  return ['', ...factsOf(facts)]
}
