import { createClient } from 'millrace/client'
import { importFile } from './import.ts'

// TASKS=examples/import-rows/tasks.ts npm start, and then: node examples/import-rows/main.ts rows.csv

const path = process.argv[2]
if (path === undefined) throw new Error('which file? Lines are such as Ada;12.50')
const millrace = createClient({ url: process.env.MILLRACE_URL ?? 'http://127.0.0.1:8000' })
const startedAt = performance.now()
const stored = await importFile(millrace, path, (stored) => {
  if (process.stderr.isTTY) process.stderr.write(`\r${stored} rows stored`)
})
const seconds = (performance.now() - startedAt) / 1000
console.log(`${stored} rows in ${seconds.toFixed(1)} s, ${Math.round(stored / seconds)} a second`)
