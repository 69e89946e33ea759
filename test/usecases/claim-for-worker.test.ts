import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Beat, LeasedWorkers } from '../../src/domain/leased-worker.ts'
import type { ClaimedTask } from '../../src/domain/outcome.ts'
import type { Claim, Want, WorkLedger } from '../../src/domain/ports.ts'
import type { QueueGate } from '../../src/domain/queue.ts'
import { claimingForWorkers } from '../../src/usecases/claim-for-worker.ts'

const nothing: Claim = { tasks: [], packets: [], oversized: [], blocked: [] }
const beat: Beat = {
  queues: ['one', 'two', 'limited', 'paused'],
  types: ['t'],
  concurrency: 10,
  leaseMs: 30_000,
  inHand: 0,
  suspects: 0,
}
const gates: QueueGate[] = [
  { queue: 'limited', isPaused: false },
  { queue: 'paused', isPaused: true },
]

const aTask = (crashes = 0): ClaimedTask => ({
  id: 'id',
  packet: 1,
  queue: 'q',
  type: 't',
  payload: '1',
  attempt: 1,
  failures: 0,
  crashes,
  maxAttempts: null,
  timeoutMs: null,
  waitedMs: 0,
})

const tasksOf = (count: number): Claim => ({
  ...nothing,
  tasks: Array.from({ length: count }, () => aTask()),
})

function underTest(claims: (want: Want) => Claim) {
  const wants: Want[] = []
  const sleeps: number[] = []
  const ledger: Pick<WorkLedger, 'claim' | 'split' | 'finish' | 'postpone'> = {
    async claim(_, want) {
      wants.push(want)
      return claims(want)
    },
    split: async () => [],
    finish: async () => [],
    postpone: async () => {},
  }
  const workers: Pick<LeasedWorkers, 'beat' | 'settle' | 'waitingQueues'> = {
    beat: async () => beat,
    settle: async () => {},
    waitingQueues: async () => [],
  }
  const { claimTasks } = claimingForWorkers({
    workers: workers as LeasedWorkers,
    ledger: ledger as WorkLedger,
    queues: { gates: async () => gates },
    announce: () => {},
    tally: { waited: () => {} },
    sleep: async (ms) => void sleeps.push(ms),
  })
  const claim = (limit: number, waitMs = 0) =>
    claimTasks('worker', { limit, waitMs }, new AbortController().signal)
  return { claim, wants, sleeps }
}

const isGate = (want: Want) => 'gate' in want

describe('claiming for a worker that speaks HTTP', () => {
  it('asks open queues together, a limited one through its gate, and a paused one not at all', async () => {
    const { claim, wants } = underTest(() => nothing)
    await claim(5)
    assert.deepEqual(wants, [
      { room: 5, look: 6, gate: 'limited' },
      { room: 5, look: 6, queues: ['one', 'two'] },
    ])
  })

  it('lets the ways take turns at being first, and asks the next for the room that is left', async () => {
    const { claim, wants } = underTest((want) => tasksOf(isGate(want) ? 4 : 5))
    assert.equal((await claim(5)).length, 9)
    assert.deepEqual(
      wants.map((want) => [isGate(want), want.room]),
      [
        [true, 5],
        [false, 1],
      ],
    )
    wants.length = 0
    assert.equal((await claim(5)).length, 5)
    assert.deepEqual(
      wants.map((want) => [isGate(want), want.room]),
      [[false, 5]],
    )
  })

  it('takes the same way again when what was too large there has been cut', async () => {
    const found = [{ ...nothing, oversized: [7] }, tasksOf(2), nothing]
    const { claim, wants } = underTest(() => found.shift()!)
    assert.equal((await claim(5)).length, 2)
    assert.deepEqual(wants.map(isGate), [true, true, false])
  })

  it('claims nothing beside a suspect of a crash', async () => {
    const { claim, wants } = underTest(() => ({ ...nothing, tasks: [aTask(1)] }))
    assert.equal((await claim(5)).length, 1)
    assert.equal(wants.length, 1)
  })

  it('looks again at a gate where something waits, and when its rate says so', async () => {
    const waits = [{ waits: true, nextInMs: 40 }, { waits: true, nextInMs: null }, undefined]
    let looks = 0
    const { claim, sleeps } = underTest((want) => {
      if (!isGate(want)) return nothing
      const gate = waits[looks++]
      return gate ? { ...nothing, gate } : tasksOf(1)
    })
    assert.equal((await claim(5, 10_000)).length, 1)
    assert.equal(looks, 3)
    assert.ok(Math.max(...sleeps) <= 250, `${sleeps}`)
  })
})
