import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { StoreRefusedError, StoreUnavailableError } from '../../src/domain/errors.ts'
import type { ProgressReport } from '../../src/domain/progress.ts'
import { progressDesk } from '../../src/usecases/report-progress.ts'
import { handClock, keptLog, settled } from '../support/doubles.ts'

const said = (id: string, done: number): ProgressReport => ({
  id,
  attempt: 1,
  done,
  total: null,
  message: null,
})

function underTest() {
  const clock = handClock()
  const { log, lines } = keptLog()
  const stored: string[][] = []
  const faults: Error[] = []
  const desk = progressDesk({
    log,
    sleep: clock.sleep,
    store: {
      async report(reports) {
        const fault = faults.shift()
        if (fault) throw fault
        stored.push(reports.map(({ id, done }) => `${id}${done}`))
      },
    },
  })
  return { desk, clock, stored, lines, faults }
}

describe('what handlers say of their progress', () => {
  it('is stored at once, and after that the latest of each task in one statement now and then', async () => {
    const { desk, clock, stored } = underTest()
    desk.hear(said('a', 1))
    desk.hear(said('b', 1))
    await settled()
    for (let done = 2; done < 1_000; done++) desk.hear(said('a', done))
    desk.hear(said('c', 1))
    await settled()
    assert.deepEqual(stored, [['a1', 'b1']])

    await clock.pass(250)
    await settled()

    assert.deepEqual(stored.at(-1), ['a999', 'c1'])
    await clock.pass(250)
    await settled()
    assert.deepEqual(clock.sleeping(), [], 'nothing is left to do')
  })

  it('is stored after an outage unless something newer was said', async () => {
    const { desk, clock, stored, faults, lines } = underTest()
    faults.push(new StoreUnavailableError(new Error('away')))
    desk.hear(said('a', 1))
    desk.hear(said('b', 1))
    await settled()
    desk.hear(said('a', 2))
    await clock.pass(250)
    await settled()

    assert.deepEqual(
      stored.map((ids) => ids.toSorted()),
      [['a2', 'b1']],
    )
    assert.deepEqual(lines, [])
  })

  it('is logged and dropped when the database refuses it', async () => {
    const { desk, clock, stored, faults, lines } = underTest()
    faults.push(new StoreRefusedError(new Error('no')))
    desk.hear(said('a', 1))
    await clock.pass(250)
    desk.hear(said('b', 1))
    await clock.pass(250)

    assert.deepEqual(stored, [['b1']])
    assert.equal(lines.length, 1)
  })

  it('is stored once more at the end, and not heard any more after it', async () => {
    const { desk, stored } = underTest()
    desk.hear(said('a', 1))
    await settled()
    desk.hear(said('a', 2))
    await desk.stop()
    desk.hear(said('a', 3))
    await settled()

    assert.deepEqual(stored, [['a1'], ['a2']])
  })
})
