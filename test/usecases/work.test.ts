import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { StoreUnavailableError } from '../../src/domain/errors.ts'
import type { ClaimedTask, Outcome, Verdict } from '../../src/domain/outcome.ts'
import type { PacketId, PacketRef } from '../../src/domain/packet.ts'
import type { AttemptRef, Claim, Want, WorkLedger } from '../../src/domain/ports.ts'
import { startWork, type WorkDeps } from '../../src/usecases/work.ts'
import { claimed } from '../handlers/task.ts'
import { gatherOn, handClock, keptLog, settled } from '../support/doubles.ts'
import { newId } from '../support/ledger.ts'

const aTaskOf = (packet: PacketId, wish: Partial<ClaimedTask> = {}) =>
  claimed({ id: newId(), packet, type: 'plain', payload: '1', ...wish })

/** A claim of packets that have these numbers of tasks, all of them started. */
function aClaim(sizes: Record<PacketId, number>, wish: Partial<Claim> = {}): Claim {
  const packets = Object.entries(sizes).map(([id, size]) => ({ id: Number(id), started: size, size }))
  const tasks = packets.flatMap(({ id, size }) => Array.from({ length: size }, () => aTaskOf(id)))
  return { tasks, packets, oversized: [], blocked: [], ...wish }
}

const done: Verdict = { kind: 'completed', result: '1' }

/** A worker with a ledger, a source and handlers that do what the test says. */
function underTest({
  concurrency = 4,
  ledger = {} as Partial<WorkLedger>,
  onRun = (_task: ClaimedTask) => {},
} = {}) {
  const clock = handClock()
  const { log, lines } = keptLog()
  const claims: (Claim | Error)[] = []
  const seen = { wants: [] as Want[], claimed: [] as Claim[], failed: [] as Want[], roomFreed: 0 }
  const stored: { outcomes: readonly Outcome[]; settled: readonly PacketId[] }[] = []
  const tallied: unknown[] = []
  const announced: PacketRef[] = []
  const aborted: (AttemptRef & { reason: string })[] = []
  const attempts = new Map<string, { task: ClaimedTask; end: (verdict: Verdict) => void }>()
  let bell = Promise.withResolvers<void>()

  const deps: WorkDeps = {
    ledger: {
      async claim(_worker, want) {
        seen.wants.push(want)
        const claim = claims.shift()
        if (claim instanceof Error) throw claim
        return claim ?? aClaim({})
      },
      async finish(_workerId, outcomes, settled) {
        stored.push({ outcomes, settled })
        return []
      },
      postpone: async () => {},
      split: async () => [],
      held: async () => [],
      giveBack: async () => [],
      lapsed: async () => [],
      ...ledger,
    },
    source: {
      async next(room, signal) {
        while (claims.length === 0 && !signal.aborted) {
          const gone = Promise.withResolvers<void>()
          signal.addEventListener('abort', () => gone.resolve())
          await Promise.race([bell.promise, gone.promise])
        }
        return signal.aborted ? undefined : { room, queues: ['default'], look: 10 }
      },
      claimed: (_want, claim) => void seen.claimed.push(claim),
      failed: (want) => void seen.failed.push(want),
      roomFreed: () => void seen.roomFreed++,
    },
    runner: {
      types: ['plain'],
      run(task) {
        onRun(task)
        return new Promise((end) => attempts.set(task.id, { task, end }))
      },
      abort(id, attempt, reason) {
        aborted.push({ id, attempt, reason })
        attempts.get(id)?.end({ kind: 'interrupted' })
      },
    },
    worker: { id: newId(), types: ['plain'], packetLimit: 2 },
    concurrency,
    announce: (packets) => announced.push(...packets),
    lanes: [gatherOn(1), gatherOn(1)],
    tally: {
      waited: (task) => tallied.push({ waited: task.waitedMs }),
      ran: () => tallied.push('ran'),
    },
    sleep: async (ms, signal) => (ms === 0 ? undefined : clock.sleep(ms, signal)),
    log,
  }
  const work = startWork(deps)

  return {
    ...{ work, clock, lines, seen, stored, announced, aborted, attempts, tallied, worker: deps.worker },
    /** Lets the worker find this claim, or fail with this error. */
    async offer(...some: (Claim | Error)[]) {
      claims.push(...some)
      bell.resolve()
      bell = Promise.withResolvers()
      await settled()
    },
    async end(tasks: readonly ClaimedTask[], verdict: Verdict = done) {
      for (const { id } of tasks) attempts.get(id)?.end(verdict)
      await settled()
    },
    outcomes: () => stored.flatMap(({ outcomes }) => outcomes),
    settledPackets: () => stored.flatMap(({ settled }) => settled),
  }
}

describe('working', () => {
  it('runs what it claimed and stores what came out', async () => {
    const { offer, end, outcomes, settledPackets, work } = underTest()
    const claim = aClaim({ 7: 1 })
    await offer(claim)
    assert.equal(work.running(), 1)

    await end(claim.tasks)

    assert.deepEqual(outcomes(), [{ task: claim.tasks[0], status: 'completed', result: '1' }])
    assert.deepEqual(settledPackets(), [7])
    assert.equal(work.running(), 0)
    await work.stop(0)
  })

  it('turns each verdict into its outcome', async () => {
    const { offer, end, outcomes, work } = underTest()
    const failure = { name: 'Error', message: 'no', attempt: 1 }
    const verdicts: Verdict[] = [
      { kind: 'failed', failure, retryable: true },
      { kind: 'failed', failure, retryable: false },
      { kind: 'crashed' },
      { kind: 'interrupted' },
    ]
    const claim = aClaim({ 1: 4 })
    await offer(claim)

    for (const [i, verdict] of verdicts.entries()) await end([claim.tasks[i]!], verdict)

    const kinds = outcomes().map((outcome) => [outcome.status, 'crashed' in outcome && outcome.crashed])
    assert.deepEqual(kinds, [
      ['scheduled', false],
      ['failed', false],
      ['pending', true],
      ['pending', false],
    ])
    await work.stop(0)
  })

  it('tells how long tasks waited, and how long they ran unless they did not end here', async () => {
    const { offer, end, tallied, work } = underTest()
    const claim = aClaim({ 1: 2 })
    await offer(claim)
    await end(claim.tasks.slice(0, 1))
    await end(claim.tasks.slice(1), { kind: 'interrupted' })
    assert.deepEqual(tallied, [{ waited: 0 }, { waited: 0 }, 'ran'])
    await work.stop(0)
  })

  it('lets go of a packet with the last of its tasks', async () => {
    const { offer, end, settledPackets, work } = underTest()
    const claim = aClaim({ 1: 3, 2: 1 })
    await offer(claim)
    const [first, second, third, other] = claim.tasks

    await end([first!, third!])
    assert.deepEqual(settledPackets(), [])
    await end([other!])
    assert.deepEqual(settledPackets(), [2])
    await end([second!])
    assert.deepEqual(settledPackets(), [2, 1])
    await work.stop(0)
  })

  it('never runs more than its slots, and claims for the room it has', async () => {
    const { offer, end, seen, work } = underTest({ concurrency: 3 })
    const [first, second] = [aClaim({ 1: 2 }), aClaim({ 2: 1 })]
    await offer(first, second, aClaim({ 3: 1 }))

    assert.equal(work.running(), 3)
    assert.deepEqual(
      seen.wants.map(({ room }) => room),
      [3, 1],
    )

    await end(second.tasks)
    assert.equal(work.running(), 3)
    assert.deepEqual(
      seen.wants.map(({ room }) => room),
      [3, 1, 1],
    )
    assert.equal(seen.roomFreed, 1)

    await work.stop(0)
  })

  it('runs the next while outcomes are on their way, and waits once they are as many as its slots and one', async () => {
    const disk = Promise.withResolvers<void>()
    const { offer, end, seen, work } = underTest({
      concurrency: 1,
      ledger: { finish: () => disk.promise.then(() => []) },
    })
    const [first, second] = [aClaim({ 1: 1 }), aClaim({ 2: 1 })]
    await offer(first, second, aClaim({ 3: 1 }))

    await end(first.tasks)
    assert.deepEqual([seen.wants.length, work.running()], [2, 1])

    await end(second.tasks)
    assert.deepEqual([seen.wants.length, work.running()], [2, 0])

    disk.resolve()
    await settled()
    assert.deepEqual([seen.wants.length, work.running()], [3, 1])
    await work.stop(0)
  })

  it('offers again what could not be claimed, and goes on after a moment', async () => {
    const { offer, seen, lines, clock, work } = underTest()

    await offer(new StoreUnavailableError(new Error('away')), aClaim({ 1: 1 }))
    assert.deepEqual([seen.failed.length, work.running()], [1, 0])
    assert.deepEqual(
      lines.map(({ level }) => level),
      ['warn'],
    )

    await clock.pass(200)
    await settled()
    assert.equal(work.running(), 1)
    await work.stop(0)
  })

  it('cuts packets that are too large for it, and tells of the pieces', async () => {
    const pieces: PacketRef[] = [{ id: 8, queue: 'default', priority: 'normal' }]
    const asked: unknown[] = []
    const { offer, announced, work } = underTest({
      ledger: {
        async split(packets, limit) {
          asked.push(packets, limit)
          return pieces
        },
      },
    })

    await offer(aClaim({}, { oversized: [5, 6] }))

    assert.deepEqual(asked, [[5, 6], 2])
    assert.deepEqual(announced, pieces)
    await work.stop(0)
  })

  it('puts off what nobody here serves before it lets go of the packet', async () => {
    const put = Promise.withResolvers<void>()
    const postponed: unknown[] = []
    const { offer, end, settledPackets, work, worker } = underTest({
      ledger: {
        async postpone(workerId, packets) {
          postponed.push([workerId, packets])
          await put.promise
        },
      },
    })
    const claim = aClaim({ 1: 1 })
    claim.packets[0]!.size = 3
    await offer(claim)
    await end(claim.tasks)

    assert.deepEqual(postponed, [[worker.id, [1]]])
    assert.deepEqual(settledPackets(), [])

    put.resolve()
    await settled()
    assert.deepEqual(settledPackets(), [1])
    await work.stop(0)
  })

  it('lets go of a packet of which nothing could be started', async () => {
    const { offer, settledPackets, work } = underTest()

    await offer({ ...aClaim({}), packets: [{ id: 1, started: 0, size: 2 }] })

    assert.deepEqual(settledPackets(), [1])
    await work.stop(0)
  })

  it('tries to put off again while the database is away', async () => {
    let tries = 0
    const { offer, clock, settledPackets, work } = underTest({
      ledger: {
        async postpone() {
          if (++tries === 1) throw new StoreUnavailableError(new Error('away'))
        },
      },
    })
    await offer({ ...aClaim({}), packets: [{ id: 1, started: 0, size: 1 }] })

    await clock.pass(200)
    await settled()

    assert.deepEqual([tries, settledPackets()], [2, [1]])
    await work.stop(0)
  })

  it('ends the attempts that were canceled and no others, not even later ones of the same task', async () => {
    const { offer, aborted, work } = underTest()
    const claim = aClaim({ 1: 2 })
    await offer(claim)
    const [canceled, retried] = claim.tasks

    work.cancel([
      { id: canceled!.id, attempt: 1 },
      { id: retried!.id, attempt: 0 },
      { id: newId(), attempt: 1 },
    ])
    await settled()

    assert.deepEqual(aborted, [{ id: canceled!.id, attempt: 1, reason: 'canceled' }])
    assert.equal(work.running(), 1)
    await work.stop(0)
  })
})

describe('stopping', () => {
  it('takes no more and waits for what runs', async () => {
    const { offer, end, seen, work, outcomes } = underTest()
    const claim = aClaim({ 1: 1 })
    await offer(claim)

    const stopped = work.stop(30_000)
    await offer(aClaim({ 2: 1 }))
    assert.equal(seen.wants.length, 1)
    await end(claim.tasks)
    await stopped

    assert.deepEqual(
      outcomes().map(({ status }) => status),
      ['completed'],
    )
  })

  it('hands back unspent what runs on after the time of grace', async () => {
    const { offer, clock, work, aborted, outcomes, settledPackets } = underTest()
    const claim = aClaim({ 1: 2 })
    await offer(claim)

    const stopped = work.stop(30_000)
    await clock.pass(30_000)
    await stopped

    assert.deepEqual(
      aborted.map(({ reason }) => reason),
      ['shutdown', 'shutdown'],
    )
    assert.deepEqual(
      outcomes(),
      claim.tasks.map((task) => ({ task, status: 'pending', crashed: false })),
    )
    assert.deepEqual(settledPackets(), [1])
  })

  it('runs what a claim brings that was under way, or hands it back', async () => {
    const answer = Promise.withResolvers<Claim>()
    const { offer, work, clock, outcomes } = underTest({ ledger: { claim: () => answer.promise } })
    await offer(aClaim({}))

    const stopped = work.stop(1_000)
    answer.resolve(aClaim({ 1: 1 }))
    await clock.pass(1_000)
    await stopped

    assert.deepEqual(
      outcomes().map(({ status }) => status),
      ['pending'],
    )
  })

  it('gives back what the ledger still says to be held', async () => {
    const given: unknown[] = []
    const back: PacketRef[] = [{ id: 9, queue: 'default', priority: 'low' }]
    const { work, announced } = underTest({
      ledger: {
        held: async () => [5],
        async giveBack(_workerId, packets) {
          given.push(packets)
          return back
        },
      },
    })

    await work.stop(0)

    assert.deepEqual([given, announced], [[[5]], back])
  })

  it('stops at once where nothing runs, also while it waits for the database', async () => {
    const { offer, work } = underTest()
    await offer(new StoreUnavailableError(new Error('away')))

    await work.stop(30_000)
  })
})

describe('comparing with the ledger', () => {
  it('gives back packets that it does not have in hand, once it has seen them twice', async () => {
    const given: PacketId[] = []
    const { offer, work } = underTest({
      ledger: {
        held: async () => [1, 2],
        async giveBack(_workerId, packets) {
          given.push(...packets)
          return []
        },
      },
    })
    await offer(aClaim({ 1: 1 }))

    await work.reconcile()
    assert.deepEqual(given, [])

    await work.reconcile()
    assert.deepEqual(given, [2])
    await work.stop(0)
  })

  it('keeps a packet that was just arriving when it looked', async () => {
    const given: PacketId[] = []
    const held = [2]
    const { offer, work } = underTest({
      ledger: {
        held: async () => held,
        async giveBack(_workerId, packets) {
          given.push(...packets)
          return []
        },
      },
    })
    await work.reconcile()
    await offer(aClaim({ 2: 1 }))
    await work.reconcile()

    assert.deepEqual(given, [])
    held.length = 0
    await work.stop(0)
  })

  it('keeps a packet whose claim is not answered yet, however often it looks', async () => {
    const given: PacketId[] = []
    const answer = Promise.withResolvers<Claim>()
    let held = [2]
    const { clock, offer, work } = underTest({
      ledger: {
        claim: () => answer.promise,
        held: async () => held,
        async giveBack(_workerId, packets) {
          given.push(...packets)
          return []
        },
      },
    })
    await offer(aClaim({}))
    for (let look = 0; look < 3; look++) await work.reconcile()
    assert.deepEqual(given, [])

    answer.reject(new StoreUnavailableError(new Error('the link was cut')))
    await clock.pass(200)
    await settled()
    await work.reconcile()
    assert.deepEqual(given, [2])
    held = []
    await work.stop(0)
  })

  it('looks twice by itself when a claim was not answered, whether or not the database is there at once', async () => {
    const given: PacketId[] = []
    const answers = [() => Promise.reject(new StoreUnavailableError(new Error('away'))), async () => [2]]
    const { clock, offer, work } = underTest({
      ledger: {
        held: () => (answers.length > 1 ? answers.shift()! : answers[0]!)(),
        async giveBack(_workerId, packets) {
          given.push(...packets)
          return []
        },
      },
    })
    await offer(new StoreUnavailableError(new Error('the link was cut')))
    await clock.pass(200)
    for (let look = 1; look <= 3; look++) {
      await clock.pass(1_000)
      await settled()
      assert.deepEqual(given, look < 3 ? [] : [2])
    }
    assert.ok(!clock.sleeping().includes(1_000))
    answers[0] = async () => []
    await work.stop(0)
  })

  it('does not start what was canceled while the answer to its claim was on its way', async (t) => {
    let nowMs = 0
    t.mock.method(performance, 'now', () => nowMs)
    const answer = Promise.withResolvers<Claim>()
    const answers = [answer.promise]
    const claim = aClaim({ 7: 2 })
    const [kept, canceled] = claim.tasks
    const { offer, attempts, end, settledPackets, work } = underTest({
      ledger: {
        claim: () => answers.shift() ?? Promise.reject(new StoreUnavailableError(new Error('no more'))),
        lapsed: async () => [{ id: canceled!.id, attempt: 1 }],
      },
    })
    await offer(claim)

    nowMs = 101 // the process stood still, or the answer was slow
    answer.resolve(claim)
    await settled()

    assert.deepEqual([...attempts.keys()], [kept!.id])
    assert.equal(work.running(), 1)
    await end([kept!])
    assert.deepEqual(settledPackets(), [7])
    await work.stop(0)
  })

  it('does not start what was canceled while a handler before it blocked the event loop', async (t) => {
    let nowMs = 0
    t.mock.method(performance, 'now', () => nowMs)
    const claim = aClaim({ 7: 3 })
    const [blocking, canceled, kept] = claim.tasks
    const asked: string[][] = []
    const { offer, attempts, end, settledPackets, work } = underTest({
      onRun: ({ id }) => {
        if (id === blocking!.id) nowMs += 60_000
      },
      ledger: {
        async lapsed(_workerId, attempts) {
          asked.push(attempts.map(({ id }) => id))
          return [{ id: canceled!.id, attempt: 1 }]
        },
      },
    })

    await offer(claim)

    assert.deepEqual([...attempts.keys()], [blocking!.id, kept!.id])
    assert.deepEqual(asked, [[canceled!.id, kept!.id]])
    assert.equal(work.running(), 2)
    await end([blocking!, kept!])
    assert.deepEqual(settledPackets(), [7])
    await work.stop(0)
  })

  it('ends attempts that are not its own any more', async () => {
    const asked: AttemptRef[][] = []
    const { offer, work, aborted } = underTest({
      ledger: {
        async lapsed(_workerId, attempts) {
          asked.push([...attempts])
          return attempts.slice(0, 1)
        },
      },
    })
    await work.reconcile()
    const claim = aClaim({ 1: 2 })
    await offer(claim)

    await work.reconcile()

    const [lost] = claim.tasks
    assert.deepEqual(asked, [claim.tasks.map(({ id }) => ({ id, attempt: 1 }))])
    assert.deepEqual(aborted, [{ id: lost!.id, attempt: 1, reason: 'lost' }])
    await work.stop(0)
  })
})
