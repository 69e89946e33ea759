import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { StoreUnavailableError } from '../../src/domain/errors.ts'
import type { Upkeep } from '../../src/domain/ports.ts'
import { capacityBook } from '../../src/usecases/capacity.ts'
import { housekeep, leaseMs } from '../../src/usecases/housekeep.ts'
import { checkReadiness } from '../../src/usecases/readiness.ts'
import { handClock, keptLog, settled } from '../support/doubles.ts'
import { until } from '../support/until.ts'

const away = () => Promise.reject(new StoreUnavailableError(new Error('away')))
const packet = { id: 1, queue: 'default', priority: 'normal' } as const

function underTest(wish: Partial<Upkeep> = {}) {
  const clock = handClock()
  const { log, lines } = keptLog()
  const announced: unknown[] = []
  const stopping = new AbortController()
  const upkeep: Upkeep = {
    promote: async () => ({ packets: [], nextInMs: null }),
    sweep: async () => ({ workers: [], packets: [], again: false }),
    lookForListeners: async () => {},
    forgetMoves: async () => {},
    foldCounters: async () => {},
    sampleCounts: async () => {},
    keepPartitions: async () => {},
    retire: async () => {},
    ...wish,
  }
  const done = housekeep(
    {
      ...{ upkeep, log, sleep: clock.sleep, packetSize: 62, retentionDays: 30 },
      announce: (packets) => announced.push(...packets),
    },
    stopping.signal,
  )
  const stop = () => {
    stopping.abort()
    return done
  }
  return { clock, lines, announced, stop }
}

describe('housekeeping', () => {
  it('does everything at once in the beginning, then now and then, and ends when it is told to', async () => {
    const { clock, stop } = underTest()
    await settled()

    assert.deepEqual(
      clock.sleeping().toSorted((a, b) => a - b),
      [500, 500, 700, 5_000, 30_000, 60_000, 600_000],
    )
    await stop()
    assert.deepEqual(clock.sleeping(), [])
  })

  it('promotes again when the next task is due, and at once while there is more', async () => {
    const answers = [
      { packets: [packet], nextInMs: 0 },
      { packets: [packet], nextInMs: 120 },
      { packets: [], nextInMs: 0 },
      { packets: [], nextInMs: 90_000 },
    ]
    const asked: unknown[] = []
    const { clock, announced, stop } = underTest({
      async promote(limit, packetSize) {
        asked.push([limit, packetSize])
        return answers.shift() ?? { packets: [], nextInMs: null }
      },
    })

    for (const ms of [0, 120, 10, 500]) await clock.pass(ms)
    await settled()

    assert.deepEqual(announced, [packet, packet])
    assert.deepEqual(asked[0], [1000, 62])
    await stop()
  })

  it('looks again soon when a worker is missing, and says who is gone', async () => {
    const answers = [
      { workers: [], packets: [], again: true },
      { workers: ['w1'], packets: [packet], again: false },
    ]
    const { clock, announced, lines, stop } = underTest({
      sweep: async () => answers.shift() ?? { workers: [], packets: [], again: false },
    })

    await clock.pass(300)
    await settled()

    assert.deepEqual(announced, [packet])
    assert.deepEqual(
      lines.map(({ fields }) => fields),
      [{ workerId: 'w1' }],
    )
    await stop()
  })

  it('goes on when a round fails, and complains once until it works again', async () => {
    let fails = true
    const { clock, lines, stop } = underTest({ foldCounters: () => (fails ? away() : Promise.resolve()) })
    await clock.pass(1_000)
    await clock.pass(1_000)
    await until(() => clock.sleeping().includes(1_000), { what: 'the third failure' })
    assert.deepEqual(
      lines.map(({ level }) => level),
      ['warn'],
    )

    fails = false
    await clock.pass(1_000)
    await clock.pass(60_000)
    await settled()
    fails = true
    await clock.pass(60_000)
    await settled()

    assert.equal(lines.length, 2)
    await stop()
  })

  it('says of a bug that it is one', async () => {
    const { lines, stop } = underTest({ retire: () => Promise.reject(new Error('syntax error')) })
    await settled()

    assert.deepEqual(
      lines.map(({ level }) => level),
      ['error'],
    )
    await stop()
  })

  it('judges nobody for a whole lease after an outage of its own', async (t) => {
    let nowMs = 0
    t.mock.method(performance, 'now', () => nowMs)
    const judged: boolean[] = []
    let fails = false
    const { clock, stop } = underTest({
      async sweep(_leaseMs, mayJudge) {
        judged.push(mayJudge)
        return fails ? away() : { workers: [], packets: [], again: false }
      },
    })
    const roundAt = async (ms: number) => {
      nowMs = ms
      const sleepingMs = clock.sleeping().find((one) => one === 700) ?? 1_000
      clock.slept.length = 0
      await passNow(sleepingMs)
    }
    const passNow = async (ms: number) => {
      const passed = clock.pass(ms)
      await settled()
      await passed
      await settled()
    }
    await settled()

    fails = true
    await roundAt(1_000)
    fails = false
    await roundAt(2_000)
    await roundAt(1_000 + leaseMs - 1)
    await roundAt(1_000 + leaseMs)

    assert.deepEqual(judged, [true, true, false, false, true])
    await stop()
  })
})

describe('what is known of the workers', () => {
  it('expects one worker until it knows, then says what it was told, asking now and then', async (t) => {
    let nowMs = 0
    t.mock.method(performance, 'now', () => nowMs)
    let asked = 0
    let fails = false
    const book = capacityBook({
      async capacities() {
        asked++
        return fails ? away() : new Map([['a', { workers: asked, smallestConcurrency: 16 }]])
      },
    })

    assert.deepEqual(book.capacityOf('a'), { workers: 1, smallestConcurrency: 1000 })
    await settled()
    assert.deepEqual(book.capacityOf('a'), { workers: 1, smallestConcurrency: 16 })
    assert.deepEqual(book.capacityOf('b'), { workers: 1, smallestConcurrency: 1000 })
    assert.equal(asked, 1)

    nowMs = 2_001
    book.capacityOf('a')
    await settled()
    assert.equal(book.capacityOf('a').workers, 2)

    fails = true
    nowMs = 5_000
    book.capacityOf('a')
    await settled()
    assert.deepEqual([asked, book.capacityOf('a').workers], [3, 2])
  })
})

describe('readiness', () => {
  it('is given when every check is well, with their details', async () => {
    const checks = [
      { name: 'database', check: async () => 'PostgreSQL 18' },
      { name: 'migrations', check: async () => undefined },
    ]

    assert.deepEqual(await checkReadiness(checks), {
      ok: true,
      checks: [
        { name: 'database', ok: true, detail: 'PostgreSQL 18' },
        { name: 'migrations', ok: true },
      ],
    })
  })

  it('is not given when one fails, and says why', async () => {
    const checks = [
      { name: 'database', check: away },
      { name: 'other', check: async () => 'fine' },
    ]

    const { ok, checks: answers } = await checkReadiness(checks)

    assert.equal(ok, false)
    assert.deepEqual(
      answers.map((answer) => answer.ok),
      [false, true],
    )
    assert.match(answers[0]?.detail ?? '', /away/)
  })
})
