import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { HappenedInMinute } from '../../src/domain/metric.ts'
import { countingHappened, others } from '../../src/usecases/happened.ts'

const minute = 60_000
const none = { submitted: 0, completed: 0, failed: 0, canceled: 0, waiting: [], running: [] }

/** Roll-ups that a test writes, as the store reads them. */
function rollups() {
  const rows: HappenedInMinute[] = []
  const clock = { nowMs: 100 * minute }
  return {
    clock,
    put(minuteMs: number, change: Partial<HappenedInMinute>) {
      const { queue = 'q', type = 't' } = change
      const at = rows.findIndex(
        (row) => row.minuteMs === minuteMs && row.queue === queue && row.type === type,
      )
      if (at >= 0) rows.splice(at, 1)
      rows.push({ ...none, queue, type, ...change, minuteMs })
    },
    since: async (sinceMs: number | null) => {
      const fromMs = sinceMs ?? Math.floor(clock.nowMs / minute) * minute
      return { nowMs: clock.nowMs, minutes: rows.filter((row) => row.minuteMs >= fromMs) }
    },
  }
}

it('counts from the first call on, each thing once', async () => {
  const { clock, put, since } = rollups()
  put(100 * minute, { submitted: 5, waiting: [1, 2] })
  const count = countingHappened({ since })
  assert.deepEqual(await count(), [])
  put(100 * minute, { submitted: 8, completed: 1, waiting: [1, 4, 0, 1] })
  const [once] = await count()
  assert.deepEqual(once, {
    ...once,
    queue: 'q',
    type: 't',
    submitted: 3,
    completed: 1,
    waiting: [0, 2, 0, 1],
  })
  assert.deepEqual(await count(), [once])

  clock.nowMs += minute
  put(100 * minute, { submitted: 9, completed: 1, waiting: [1, 4, 0, 1] }) // committed late
  put(101 * minute, { submitted: 10, failed: 2 })
  assert.equal((await count())[0]?.submitted, 14)
  clock.nowMs += 5 * minute
  put(104 * minute, { submitted: 1 })
  const [later] = await count()
  assert.deepEqual([later?.submitted, later?.failed], [15, 2])
})

it('never shrinks, and begins anew for who has not asked for long', async () => {
  const { clock, put, since } = rollups()
  const count = countingHappened({ since })
  await count()
  put(100 * minute, { submitted: 4 })
  assert.equal((await count())[0]?.submitted, 4)
  put(100 * minute, { submitted: 1 })
  assert.equal((await count())[0]?.submitted, 4)
  clock.nowMs += 300 * minute
  put(350 * minute, { submitted: 1_000 })
  assert.equal((await count())[0]?.submitted, 4)
  put(400 * minute, { submitted: 2 })
  assert.equal((await count())[0]?.submitted, 6)
})

it('tells apart a hundred pairs of names, and the rest are one', async () => {
  const { put, since } = rollups()
  const count = countingHappened({ since })
  await count()
  for (let n = 0; n < 1_000; n++) put(100 * minute, { type: `t${n}`, submitted: 1 })
  const counted = await count()
  assert.equal(counted.length, 101)
  assert.equal(counted.find(({ type }) => type === others)?.submitted, 900)
  assert.equal(
    counted.reduce((sum, { submitted }) => sum + submitted, 0),
    1_000,
  )
})
