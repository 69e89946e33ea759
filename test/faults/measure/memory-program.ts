import { appendFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

// Loaded into a process under test (`node --expose-gc --import`): on SIGUSR2 it collects its garbage and writes down
// what memory is left in use. Nothing else of the process changes.

const file = process.env.MEMORY_FILE
const { gc } = globalThis
if (isMainThread && file !== undefined && gc !== undefined) {
  process.on('SIGUSR2', () => {
    gc()
    appendFileSync(file, `${JSON.stringify({ pid: process.pid, ...process.memoryUsage() })}\n`)
  })
}
