import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import fc from 'fast-check'
import { StoreRefusedError } from '../../src/domain/errors.ts'
import { int2s, int4s, int8s, texts, uuids } from '../../src/storage/arrays.ts'
import { openDatabase } from '../../src/storage/connection.ts'
import { emptyDatabase } from '../support/postgres.ts'

describe('binary arrays', () => {
  /** Answers a check that compares what PostgreSQL makes of a binary array with what it makes of the driver's own. */
  async function comparison(t: TestContext) {
    const database = openDatabase(await emptyDatabase(t), {
      connections: 1,
      statementTimeoutMs: 10_000,
      plans: 'looks',
    })
    t.after(database.close)
    return async (type: string, binary: Buffer, plain: readonly unknown[]): Promise<void> => {
      const text = `select $1::${type}[] is not distinct from $2::${type}[]`
      const [row] = await database.run<[same: boolean]>({ name: '', text }, [binary, plain])
      assert.deepEqual(row, [true])
    }
  }

  const orNull = <T>(values: fc.Arbitrary<T>) => fc.array(fc.option(values), { maxLength: 20 })
  const holds = <T>(values: fc.Arbitrary<T>, check: (value: T) => Promise<void>) =>
    fc.assert(fc.asyncProperty(values, check), { numRuns: 40 })

  it('carry uuids and nulls', async (t) => {
    const arriveAlike = await comparison(t)
    await holds(orNull(fc.uuid()), (ids) => arriveAlike('uuid', uuids(ids), ids))
    const id = '0199C3A0-7B1E-7ABC-8DEF-0123456789AB'
    await arriveAlike('uuid', uuids([id]), [id.toLowerCase()])
  })

  it('carry texts of every character, quotes and backslashes among them', async (t) => {
    const arriveAlike = await comparison(t)
    const odd = fc.constantFrom('', 'NULL', '{}', '"', '\\', ',', ' ', "'", '\u{1f600}', '\u2028', '\r\n')
    const anything = fc.oneof(odd, fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }))
    const storable = anything.map((text) => text.toWellFormed().replaceAll('\0', ''))
    await holds(orNull(storable), (values) => arriveAlike('text', texts(values), values))
  })

  it('have NUL refused, which PostgreSQL cannot store, instead of cutting the text there', async (t) => {
    const arriveAlike = await comparison(t)
    await assert.rejects(arriveAlike('text', texts(['a\0b']), ['a']), StoreRefusedError)
  })

  it('carry numbers, the smallest and the largest among them', async (t) => {
    const arriveAlike = await comparison(t)
    await holds(orNull(fc.integer({ min: -32768, max: 32767 })), (ns) =>
      arriveAlike('smallint', int2s(ns), ns),
    )
    await holds(orNull(fc.integer()), (ns) => arriveAlike('int', int4s(ns), ns))
    await holds(orNull(fc.maxSafeInteger()), (ns) => arriveAlike('bigint', int8s(ns), ns))
    await arriveAlike('smallint', int2s([-32768, null, 32767]), [-32768, null, 32767])
    await arriveAlike('int', int4s([-(2 ** 31), 2 ** 31 - 1]), [-(2 ** 31), 2 ** 31 - 1])
    const extremes = [Number.MIN_SAFE_INTEGER, null, Number.MAX_SAFE_INTEGER]
    await arriveAlike('bigint', int8s(extremes), extremes)
  })

  it('may be empty', async (t) => {
    const arriveAlike = await comparison(t)
    await arriveAlike('uuid', uuids([]), [])
    await arriveAlike('text', texts([]), [])
    await arriveAlike('smallint', int2s([]), [])
    await arriveAlike('int', int4s([]), [])
    await arriveAlike('bigint', int8s([]), [])
  })
})
