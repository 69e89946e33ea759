import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { batch } from '../../src/runtime/batch.ts'
import { settled } from '../support/doubles.ts'

/** Runs that wait until the test answers them. */
function answered() {
  const runs: { items: number[]; answer: () => void; fail: (error: Error) => void }[] = []
  const run = (items: number[]) =>
    new Promise<string[]>((resolve, reject) => {
      runs.push({ items, answer: () => resolve(items.map((item) => `${item}!`)), fail: reject })
    })
  return { run, runs, sizes: () => runs.map(({ items }) => items.length) }
}

const upTo = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i)

describe('gathering calls', () => {
  it('runs one call by itself, at once', async () => {
    const call = batch(async (items: number[]) => items.map((item) => item * 2), { maxSize: 10, lanes: 1 })

    assert.equal(await call(21), 42)
  })

  it('runs calls of one turn together and answers each with its own', async () => {
    const { run, runs } = answered()
    const call = batch(run, { maxSize: 10, lanes: 1 })

    const answers = Promise.all(upTo(4).map(call))
    await settled()
    runs[0]!.answer()

    assert.deepEqual(await answers, ['0!', '1!', '2!', '3!'])
    assert.equal(runs.length, 1)
  })

  it('gathers what comes while all lanes are busy, and runs it as soon as one is free', async () => {
    const { run, runs, sizes } = answered()
    const call = batch(run, { maxSize: 100, lanes: 2 })
    void call(0)
    await settled()
    void call(1)
    await settled()

    for (const item of upTo(7)) void call(item)
    await settled()
    assert.deepEqual(sizes(), [1, 1])

    runs[1]!.answer()
    await settled()
    assert.deepEqual(sizes(), [1, 1, 7])
  })

  it('takes no more than fits into a run, but one call that is too large alone', async () => {
    const { run, runs, sizes } = answered()
    const call = batch(run, { maxSize: 10, lanes: 1, sizeOf: (item) => item })
    for (const size of [4, 6, 1, 50, 10, 3, 3]) void call(size)

    for (let i = 0; i < 5; i++) {
      await settled()
      runs[i]!.answer()
    }

    assert.deepEqual(
      runs.map(({ items }) => items),
      [[4, 6], [1], [50], [10], [3, 3]],
    )
    assert.equal(sizes().length, 5)
  })

  it('never runs more than its lanes at once', async () => {
    let running = 0
    let most = 0
    const run = async (items: number[]) => {
      most = Math.max(most, ++running)
      await settled()
      running--
      return items
    }
    const call = batch(run, { maxSize: 2, lanes: 3 })

    assert.deepEqual(await Promise.all(upTo(50).map(call)), upTo(50))
    assert.equal(most, 3)
  })

  it('fails all calls of a run that fails, and goes on with the next', async () => {
    const { run, runs } = answered()
    const call = batch(run, { maxSize: 10, lanes: 1 })
    const calls = Promise.allSettled(upTo(3).map(call))
    await settled()

    runs[0]!.fail(new Error('away'))
    assert.deepEqual(
      (await calls).map(({ status }) => status),
      ['rejected', 'rejected', 'rejected'],
    )

    const next = call(9)
    await settled()
    runs[1]!.answer()
    assert.equal(await next, '9!')
  })

  it('fails those alone whose fault it is, whoever stands beside them', async () => {
    const bad = (item: number) => item < 0
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer(), { minLength: 1, maxLength: 60 }), async (items) => {
        const stored: number[] = []
        const run = async (some: number[]) => {
          if (some.some(bad)) throw new RangeError('refused')
          stored.push(...some)
          return some.map((item) => item + 1)
        }
        const isItemsFault = (error: unknown) => error instanceof RangeError
        const call = batch(run, { maxSize: 20, lanes: 2, isItemsFault })

        const answers = await Promise.allSettled(items.map(call))

        const good = items.filter((item) => !bad(item))
        assert.deepEqual(stored.toSorted(), good.toSorted())
        assert.deepEqual(
          answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : undefined)),
          items.map((item) => (bad(item) ? undefined : item + 1)),
        )
      }),
      { numRuns: 50 },
    )
  })

  it('tries nothing again when it is nobody’s fault', async () => {
    let runs = 0
    const run = async (_items: number[]): Promise<number[]> => {
      runs++
      throw new Error('away')
    }
    const call = batch(run, { maxSize: 20, lanes: 1, isItemsFault: (error) => error instanceof RangeError })

    await Promise.allSettled(upTo(8).map(call))

    assert.equal(runs, 1)
  })
})
