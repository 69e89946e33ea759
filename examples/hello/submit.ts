import { createClient } from 'millrace/client'
import type { hello } from './tasks.ts'

// TASKS=examples/hello/tasks.ts npm start, and then: node examples/hello/submit.ts Ada

const millrace = createClient({ url: process.env.MILLRACE_URL ?? 'http://127.0.0.1:8000' })
const { greeting } = await millrace.run<typeof hello>('hello', process.argv[2] ?? 'you', { waitMs: 30_000 })
console.log(greeting)
