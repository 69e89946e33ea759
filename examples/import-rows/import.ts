import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Millrace } from 'millrace/client'
import type { importRow } from './tasks.ts'

type Progress = (stored: number) => void

/**
 * Submits a task for each line of a file with `name;amount`, however many there are: the file is read as fast as the
 * server stores, and memory stays the same. Done again after a crash it repeats nothing, since a line has its key.
 */
export async function importFile(millrace: Millrace, path: string, progress: Progress = () => {}) {
  let stored = 0
  for await (const _ of millrace.submitMany<typeof importRow>(submissions(path))) {
    stored++
    if (stored % 1_000 === 0) progress(stored)
  }
  progress(stored)
  return stored
}

async function* submissions(path: string) {
  let line = 0
  for await (const text of createInterface({ input: createReadStream(path) })) {
    line++
    const [name = '', amount] = text.split(';')
    const payload = { line, name, amount: Number(amount) }
    yield { type: 'row.import', payload, idempotencyKey: `${path}:${line}` }
  }
}
