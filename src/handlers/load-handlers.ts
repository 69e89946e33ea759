import { readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ownTypes } from '../domain/callback.ts'
import type { Definitions } from './attempt.ts'
import { isTaskDefinition, type TaskDefinition } from './define-task.ts'
import { messageOf } from './failure.ts'
import { resolveOwnPackage } from './own-package.ts'

/** The task definitions of a module or a folder of modules, by type. */
export type Handlers = { path: string; definitions: Definitions }

const modulePattern = /^[^.].*\.[cm]?[jt]s$/
const otherPattern = /\.(test|spec|d)\.[cm]?[jt]s$/

/**
 * Imports a module, or each module that lies directly in a folder (not those of its sub-folders, tests, declarations
 * and dot files), and gathers every exported task definition. Fails with one sentence that names the file.
 */
export async function loadHandlers(path: string): Promise<Handlers> {
  const absolute = resolve(path)
  resolveOwnPackage()
  const files = await modulesAt(absolute)
  const found = new Map<string, { definition: TaskDefinition; file: string }>()
  for (const file of files) {
    for (const definition of definitionsIn(await load(file))) add(found, definition, file)
  }
  if (found.size === 0) throw new Error(nothingFound(absolute, files))
  const definitions = new Map([...found].map(([type, { definition }]) => [type, definition]))
  return { path: absolute, definitions }
}

async function modulesAt(path: string): Promise<string[]> {
  const entry = await stat(path).catch((cause: unknown) => {
    throw new Error(`cannot read the handlers at ${path}: ${messageOf(cause)}`, { cause })
  })
  if (!entry.isDirectory()) return [path]
  const names = await readdir(path)
  return names
    .filter((name) => modulePattern.test(name) && !otherPattern.test(name))
    .sort()
    .map((name) => join(path, name))
}

async function load(file: string): Promise<unknown> {
  try {
    return await import(pathToFileURL(file).href)
  } catch (cause) {
    throw new Error(`cannot load the handlers of ${file}: ${messageOf(cause)}${hintFor(cause)}`, { cause })
  }
}

const hints: Record<string, string> = {
  ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING:
    ' (Node runs no TypeScript under node_modules: move the file, or compile it to JavaScript)',
  ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX:
    ' (Node runs TypeScript by leaving its types out: no enums, namespaces or parameter properties)',
  ERR_MODULE_NOT_FOUND: ' (relative imports must name the file with its ending, as in "./resize.ts")',
  ERR_UNKNOWN_FILE_EXTENSION: ' (handlers are .ts, .mts, .cts, .js, .mjs or .cjs files)',
}

function hintFor(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  return hints[code] ?? ''
}

/** Definitions among the exports, and in exported arrays and objects: `module.exports` is one of these. */
function definitionsIn(exported: unknown): TaskDefinition[] {
  return valuesOf(exported).flatMap((value) =>
    isTaskDefinition(value) ? [value] : valuesOf(value).filter(isTaskDefinition),
  )
}

function valuesOf(value: unknown): unknown[] {
  try {
    return typeof value === 'object' && value !== null ? Object.values(value) : []
  } catch {
    return [] // a getter of an export that has nothing to do with tasks
  }
}

function add(
  found: Map<string, { definition: TaskDefinition; file: string }>,
  definition: TaskDefinition,
  file: string,
) {
  const { type } = definition
  if (type.startsWith(ownTypes))
    throw new Error(`the type ${type} in ${file} begins with ${ownTypes}, as only the system's own do`)
  const other = found.get(type)
  if (other && other.definition !== definition) {
    throw new Error(`two handlers have the type ${type}: one in ${other.file}, one in ${file}`)
  }
  if (!other) found.set(type, { definition, file })
}

/** The same handlers, and some that are not loaded from anywhere. */
export function withHandlers({ path, definitions }: Handlers, more: readonly TaskDefinition[]): Handlers {
  return { path, definitions: new Map([...definitions, ...more.map((own) => [own.type, own] as const)]) }
}

function nothingFound(path: string, files: readonly string[]): string {
  const where = files[0] === path ? path : `the ${files.length} modules directly in ${path}`
  return `no task is defined in ${where}: expected at least one export such as export const greet = defineTask({ type: 'greet', run(input) { … } })`
}
