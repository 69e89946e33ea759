import type { Lesson } from './empty.tsx'

/** The three ways to submit a task. */
export function submissionLessons(): readonly Lesson[] {
  const url = location.origin
  return [
    {
      name: 'curl',
      code: `curl -s ${url}/tasks -H 'content-type: application/json' -d '{"payload":"hello"}'`,
    },
    { name: 'CLI', code: `npx millrace submit '"hello"' --wait` },
    {
      name: 'TypeScript',
      code: `import { createClient } from 'millrace/client'

const millrace = createClient({ url: '${url}' })
const task = await millrace.submit('default', 'hello')
console.log(await task.result())`,
    },
  ]
}
