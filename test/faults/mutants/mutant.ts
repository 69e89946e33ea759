import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Promised } from '../check/evidence.ts'
import type { Transport } from '../trial/fault.ts'

/** The product without one of its guards, and the faults that this guard answers. */
export type Mutant = {
  /** The guard, as the command line and the report name it: `fence of completed`. */
  guard: string
  edits: readonly Edit[]
  transport: Transport
  /** What `--kinds` says of a run that must fail. */
  kinds: string
  /** How long faults are drawn; without it each kind strikes once. */
  minutes?: number
  rate?: number
  /** The promise that is broken without the guard. */
  breaks: Promised
}

/** `text` is in the file exactly once, or the mutant is none any more. */
export type Edit = { file: string; text: string; instead: string }

const root = join(import.meta.dirname, '../../..')

/** Copies the sources and the rig into `folder`, and takes the guard out there. */
export function breed({ edits }: Mutant, folder: string): void {
  for (const part of ['src', 'test', 'examples', 'package.json', 'tsconfig.json'])
    cpSync(join(root, part), join(folder, part), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  for (const edit of edits) {
    const file = join(folder, edit.file)
    writeFileSync(file, edited(readFileSync(file, 'utf8'), edit))
  }
}

/** The text of a file after an edit. Fails when the edit does not fit, for then the guard was moved or rewritten. */
export function edited(source: string, { file, text, instead }: Edit): string {
  const places = source.split(text).length - 1
  if (places !== 1)
    throw new Error(`${file} has ${places} places with ${JSON.stringify(text)} instead of one`)
  return source.replace(text, () => instead)
}
