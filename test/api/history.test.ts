import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HistoryWish } from '../../src/domain/rollup.ts'
import { apiWith } from './api-under-test.ts'
import { faultsOf } from './problem-check.ts'

const from = '2030-01-31T08:00:00.000Z'
const to = '2030-01-31T09:00:00.000Z'

test('the history is asked for by a range until now, or from one instant to another', async (t) => {
  const wishes: HistoryWish[] = []
  const { app } = await apiWith(t, {
    readHistory: async (wish) => {
      wishes.push(wish)
      return { from: wish.from, to: wish.to, stepMs: 60_000, points: [] }
    },
  })
  const spanOf = ({ from, to }: HistoryWish) => (Date.parse(to) - Date.parse(from)) / 60_000
  for (const query of ['', '?range=15m', '?range=24h', '?range=7d'])
    await app.inject(`/stats/history${query}`)
  assert.deepEqual(wishes.map(spanOf), [60, 15, 24 * 60, 7 * 24 * 60])

  await app.inject(`/stats/history?from=${from}&to=${to}&queue=q&type=t`)
  assert.deepEqual(wishes.at(-1), { from, to, queue: 'q', type: 't' })
})

test('what does not go together is refused', async (t) => {
  const { app } = await apiWith(t)
  const faults = async (query: string) => faultsOf(await app.inject(`/stats/history?${query}`))
  assert.deepEqual(await faults('range=2h'), ['range'])
  assert.deepEqual(await faults(`from=${from}`), ['range'])
  assert.deepEqual(await faults(`from=${from}&to=${to}&range=1h`), ['range'])
  assert.deepEqual(await faults(`from=${to}&to=${from}`), ['to'])
  assert.deepEqual(await faults(`from=2029-01-01T00:00:00Z&to=${to}`), ['to'])
  assert.deepEqual(await faults('from=yesterday&to=now&points=7'), ['points', 'from', 'to'])
})
