import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import type { PayloadOf, ResultOf } from '../../src/client/definition.ts'
import { isTaskDefinition } from '../../src/handlers/define-task.ts'
import { defineTask } from '../../src/index.ts'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Fails to compile where the two types differ. */
function sameType<A, B>(_: Same<A, B>) {}

const run = () => 1

test('the handler gets what its schema makes of a payload, and clients see what is sent and what comes back', () => {
  const resize = defineTask({
    type: 'image.resize',
    input: z.object({ url: z.string(), width: z.coerce.number<string>() }),
    async run(input, { attempt }) {
      sameType<typeof input, { url: string; width: number }>(true)
      sameType<typeof attempt, number>(true)
      return { bytes: input.width }
    },
  })

  sameType<typeof resize.type, 'image.resize'>(true)
  sameType<PayloadOf<typeof resize>, { url: string; width: string }>(true)
  sameType<ResultOf<typeof resize>, { bytes: number }>(true)
})

test('without a schema the input is unknown', () => {
  const task = defineTask({
    type: 'any',
    run(input) {
      sameType<typeof input, unknown>(true)
      return 'done'
    },
  })

  sameType<PayloadOf<typeof task>, unknown>(true)
  sameType<ResultOf<typeof task>, string>(true)
})

test('a batch handler gets a list of inputs, and its errors are no results', () => {
  const task = defineTask({
    type: 'notify',
    input: z.string(),
    async runBatch(inputs) {
      sameType<typeof inputs, readonly string[]>(true)
      return inputs.map((input) => (input === '' ? new Error('empty') : { length: input.length }))
    },
  })

  assert.equal(task.maxBatch, 100)
  sameType<PayloadOf<typeof task>, string>(true)
  sameType<ResultOf<typeof task>, { length: number }>(true)
})

const refused: [string, object, RegExp][] = [
  ['a type with a space', { type: 'a b', run }, /type must be 1 to 128 of .* and is "a b"/],
  ['a type that ends in a line break', { type: 'a\n', run }, /type must be/],
  ['an empty type', { type: '', run }, /type must be/],
  ['a type of 129 characters', { type: 'a'.repeat(129), run }, /type must be/],
  ['no type', { run }, /type must be .* undefined/],
  ['neither run nor runBatch', { type: 'a' }, /exactly one of run and runBatch/],
  ['both run and runBatch', { type: 'a', run, runBatch: run }, /exactly one of run and runBatch/],
  ['a run that is no function', { type: 'a', run: 'later' }, /exactly one of run and runBatch/],
  ['no attempts', { type: 'a', run, maxAttempts: 0 }, /maxAttempts .* is 0/],
  ['101 attempts', { type: 'a', run, maxAttempts: 101 }, /maxAttempts .* is 101/],
  ['half an attempt', { type: 'a', run, maxAttempts: 1.5 }, /maxAttempts .* is 1.5/],
  ['no time', { type: 'a', run, timeoutMs: 0 }, /timeoutMs .* is 0/],
  ['time without end', { type: 'a', run, timeoutMs: Number.POSITIVE_INFINITY }, /timeoutMs .* is Infinity/],
  ['a time in words', { type: 'a', run, timeoutMs: '5s' }, /timeoutMs .* is "5s"/],
  ['a batch of none', { type: 'a', runBatch: run, maxBatch: 0 }, /maxBatch .* is 0/],
  ['maxBatch with run', { type: 'a', run, maxBatch: 5 }, /maxBatch .* with runBatch only/],
  [
    'an input that is no schema',
    { type: 'a', run, input: { url: 'string' } },
    /input must be a Standard Schema/,
  ],
  ['a field that does not exist', { type: 'a', run, retries: 5 }, /there is no field "retries"/],
]

for (const [what, options, message] of refused) {
  test(`refuses ${what}`, () => {
    assert.throws(() => Reflect.apply(defineTask, undefined, [options]), { name: 'TypeError', message })
  })
}

test('reports everything that is wrong at once', () => {
  const options = { type: '!', maxAttempts: 0, timeoutMs: -1 }
  assert.throws(
    () => Reflect.apply(defineTask, undefined, [options]),
    /type .*maxAttempts .*timeoutMs .*exactly one/,
  )
})

test('takes fields that are undefined as absent', () => {
  const options = { type: 'a', run, runBatch: undefined, maxBatch: undefined, timeoutMs: undefined }
  const definition: unknown = Reflect.apply(defineTask, undefined, [options])
  assert.ok(isTaskDefinition(definition) && 'run' in definition && !('runBatch' in definition))
})

test('what looks like a definition and was not made by defineTask is none', () => {
  for (const value of [{ type: 'a', run }, null, undefined, 'a', run, []])
    assert.equal(isTaskDefinition(value), false)
})
