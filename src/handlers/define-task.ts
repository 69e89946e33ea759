import { types } from 'node:util'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { limits } from '../domain/submission.ts'
import type { BatchContext, TaskContext } from './context.ts'

// Registered, so that a definition made by another copy of this package is recognized too.
const mark = Symbol.for('millrace.task')

const typePattern = /^[A-Za-z0-9._:/-]+$/
const defaultMaxBatch = 100
const largestBatch = 10_000
const fields = ['type', 'input', 'maxAttempts', 'timeoutMs', 'run', 'runBatch', 'maxBatch']

/** What every definition says. `Payload` is what is submitted; a schema may turn it into another `Input`. */
type Described<Type extends string, Payload, Result> = {
  readonly type: Type
  readonly input?: StandardSchemaV1
  readonly maxAttempts?: number
  readonly timeoutMs?: number
  /** Never there when it runs: carries the types to a client, as in `submit<typeof task>`. */
  readonly types?: { payload: Payload; result: Result }
}

export type SingleTask<
  Type extends string = string,
  Input = unknown,
  Result = unknown,
  Payload = unknown,
> = Described<Type, Payload, Result> & {
  run(input: Input, context: TaskContext): Result | Promise<Result>
}

export type BatchTask<
  Type extends string = string,
  Input = unknown,
  Result = unknown,
  Payload = unknown,
> = Described<Type, Payload, Result> & {
  runBatch(inputs: readonly Input[], context: BatchContext): Outcomes<Result> | Promise<Outcomes<Result>>
  readonly maxBatch: number
}

/** For each input, in order: its result, or an Error where that one task failed. */
export type Outcomes<Result> = readonly (Result | Error)[]

/** A type of task and the handler that does its work. */
export type TaskDefinition = SingleTask | BatchTask

type InputOf<Schema> = Schema extends StandardSchemaV1 ? StandardSchemaV1.InferOutput<Schema> : unknown
type PayloadOf<Schema> = Schema extends StandardSchemaV1 ? StandardSchemaV1.InferInput<Schema> : unknown

type Options<Type extends string, Schema> = {
  /** 1–128 of `A-Z a-z 0-9 . _ : / -`. */
  type: Type
  /** Any Standard Schema. A payload that it refuses fails the task at once, before the handler runs. */
  input?: Schema
  /** How often the handler may fail, 1–100, where the submission does not say. Default 3. */
  maxAttempts?: number
  /** Limit of one attempt, where the submission does not say. Default none. */
  timeoutMs?: number
}

type SingleOptions<Type extends string, Schema, Result> = Options<Type, Schema> & {
  /** Does the work. What it returns is stored as JSON (`undefined` as null), at most 1 MiB; what it throws is a failure. */
  run(input: InputOf<Schema>, context: TaskContext): Result | Promise<Result>
}

type BatchOptions<Type extends string, Schema, Result> = Options<Type, Schema> & {
  /**
   * Does the work of several tasks at once and returns one outcome for each input, in order: a result, or an
   * Error for a task that failed. Throwing fails them all.
   */
  runBatch(
    inputs: readonly InputOf<Schema>[],
    context: BatchContext,
  ): readonly Result[] | Promise<readonly Result[]>
  /** The most tasks of one call, 1–10,000. Default 100. */
  maxBatch?: number
}

/**
 * Describes a type of task: its name, the shape of its payload and the handler. Throws a TypeError that names
 * everything that is wrong with the description.
 */
export function defineTask<
  const Type extends string,
  Result,
  Schema extends StandardSchemaV1 | undefined = undefined,
>(options: SingleOptions<Type, Schema, Result>): SingleTask<Type, InputOf<Schema>, Result, PayloadOf<Schema>>
export function defineTask<
  const Type extends string,
  Result,
  Schema extends StandardSchemaV1 | undefined = undefined,
>(
  options: BatchOptions<Type, Schema, Result>,
): BatchTask<Type, InputOf<Schema>, Exclude<Result, Error>, PayloadOf<Schema>>
export function defineTask(options: object): object {
  const given: Record<string, unknown> = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  )
  const problems = problemsOf(given)
  if (problems.length > 0) throw new TypeError(`this is no task definition: ${problems.join('; ')}`)
  const defaults = 'runBatch' in given ? { maxBatch: defaultMaxBatch } : {}
  return Object.freeze({ ...defaults, ...given, [mark]: true })
}

export function isTaskDefinition(value: unknown): value is TaskDefinition {
  return typeof value === 'object' && value !== null && !types.isProxy(value) && mark in value
}

/** The limit of an attempt: the task's own, else its handler's. */
export function timeoutMsOf(task: { timeoutMs: number | null }, definition: TaskDefinition | undefined) {
  return task.timeoutMs ?? definition?.timeoutMs
}

function problemsOf(options: Record<string, unknown>): string[] {
  const { type, input, maxAttempts, timeoutMs, run, runBatch, maxBatch } = options
  const unknown = Object.keys(options).filter((key) => !fields.includes(key))
  return [
    ...unknown.map((key) => `there is no field "${key}", only ${fields.join(', ')}`),
    isTypeName(type) ||
      `type must be 1 to ${limits.nameLength} of A-Z a-z 0-9 . _ : / - and is ${shown(type)}`,
    isAbsent(input) ||
      isSchema(input) ||
      'input must be a Standard Schema, as made by zod, valibot or arktype',
    isAbsent(maxAttempts) ||
      isWhole(maxAttempts, limits.maxAttempts) ||
      `maxAttempts must be a whole number from 1 to ${limits.maxAttempts} and is ${shown(maxAttempts)}`,
    isAbsent(timeoutMs) ||
      (Number.isFinite(timeoutMs) && Number(timeoutMs) > 0) ||
      `timeoutMs must be a number above 0 and is ${shown(timeoutMs)}`,
    (typeof run === 'function') !== (typeof runBatch === 'function') ||
      'exactly one of run and runBatch must be a function',
    isAbsent(maxBatch) ||
      (isWhole(maxBatch, largestBatch) && typeof runBatch === 'function') ||
      `maxBatch must be a whole number from 1 to ${largestBatch}, with runBatch only, and is ${shown(maxBatch)}`,
  ].filter((problem) => problem !== true)
}

function isAbsent(value: unknown): boolean {
  return value === undefined
}

function isTypeName(type: unknown): boolean {
  return typeof type === 'string' && type.length <= limits.nameLength && typePattern.test(type)
}

function isSchema(input: unknown): boolean {
  const isObject = (typeof input === 'object' && input !== null) || typeof input === 'function'
  if (!isObject || !('~standard' in input)) return false
  const standard = input['~standard']
  return typeof standard === 'object' && standard !== null && 'validate' in standard
}

function isWhole(value: unknown, highest: number): boolean {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= highest
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}
