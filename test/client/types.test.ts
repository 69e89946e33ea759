import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { default as work } from '../../examples/default.ts'
import { createClient, type TaskHandle } from '../../src/client/index.ts'
import type { echo, notify, resize } from './definitions.ts'
import { fakeMillrace } from './fake-millrace.ts'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const check = <_ extends true>() => {}

/** Never runs: the compiler is the test. */
async function typed(millrace: ReturnType<typeof createClient>) {
  const task = await millrace.submit<typeof resize>('image.resize', { width: '320' })
  check<Same<typeof task, TaskHandle<{ bytes: number }>>>()
  const result = await millrace.run<typeof resize>('image.resize', { width: '320' }, { waitMs: 1_000 })
  check<Same<typeof result, { bytes: number }>>()
  for await (const handle of millrace.submitMany<typeof notify>([{ type: 'notify', payload: { to: 'a' } }]))
    check<Same<typeof handle, TaskHandle<string>>>()
  check<Same<Awaited<ReturnType<typeof millrace.run<typeof work>>>, number>>()
  check<Same<Awaited<ReturnType<typeof millrace.run<typeof echo>>>, unknown>>()
  check<Same<Awaited<ReturnType<typeof millrace.run>>, unknown>>()
  for await (const row of millrace.list()) check<Same<typeof row.payload, unknown>>()

  // @ts-expect-error what is submitted is what the schema takes, not what it makes of it
  await millrace.submit<typeof resize>('image.resize', { width: 320 })
  // @ts-expect-error a member is missing
  await millrace.run<typeof resize>('image.resize', {})
  // @ts-expect-error also among many
  millrace.submitMany<typeof notify>([{ type: 'notify', payload: { to: 1 } }])
  // @ts-expect-error there is no such option
  await millrace.submit('a', 1, { delay: 5 })
}

test('the types of a definition reach the client with `import type` alone', async (t) => {
  assert.equal(typeof typed, 'function')
  const fake = await fakeMillrace({ finishes: true })
  t.after(() => fake.close())
  const length: number = await createClient({ url: fake.url }).run<typeof work>('default', 'hello')
  assert.equal(length, 5)
})
