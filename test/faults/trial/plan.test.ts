import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { nowMs } from '../system/machine-clock.ts'
import type { System } from './fault.ts'
import { type Kind, type Plan, possibleKinds, strikeAll } from './plan.ts'
import { seeded, shuffled } from './random.ts'

const system = { apis: [], workers: [] } as unknown as System

describe('seeded', () => {
  it('draws the same for the same seed, and else for another', () => {
    const draw = (seed: number) => {
      const random = seeded(seed)
      return Array.from({ length: 20 }, () => random.between(1, 1_000))
    }
    assert.deepEqual(draw(7), draw(7))
    assert.notDeepEqual(draw(7), draw(8))
  })

  it('draws every number of a range, both ends included', () => {
    const random = seeded(1)
    const drawn = new Set(Array.from({ length: 200 }, () => random.between(3, 6)))
    assert.deepEqual([...drawn].sort(), [3, 4, 5, 6])
  })
})

describe('shuffled', () => {
  it('keeps what is in the list', () => {
    const list = [1, 2, 3, 4, 5, 6, 7, 8]
    assert.deepEqual(
      shuffled(list, seeded(3)).sort((a, b) => a - b),
      list,
    )
  })
})

describe('strikeAll', () => {
  it('strikes with every kind once, and never with two of one file at a time', async () => {
    const { kinds, struck, clashes } = recorded(['a', 'a', 'b', 'b', 'c'], 30)
    await strikeAll(system, kinds, plan())
    assert.deepEqual(struck.toSorted(), ['a-0', 'a-1', 'b-2', 'b-3', 'c-4'])
    assert.deepEqual(clashes, [])
  })

  it('draws again when every kind had its turn, until the time is over', async () => {
    const { kinds, struck } = recorded(['a', 'b'], 1)
    await strikeAll(system, kinds, { ...plan(), untilMs: nowMs() + 300 })
    assert.ok(struck.length > 2, `${struck.length} strikes`)
  })

  it('does not begin what would not end in time', async () => {
    const { kinds, struck } = recorded(['a', 'b'], 1)
    const long = kinds.map((kind) => (kind.file === 'b' ? { ...kind, takesMs: 60_000 } : kind))
    await strikeAll(system, long, { ...plan(), untilMs: nowMs() + 100 })
    assert.ok(!struck.includes('b-1'))
  })

  it('does not do two at once that take long', async () => {
    const { kinds, clashes } = recorded(['a', 'a', 'a'], 20)
    const long = kinds.map((kind) => ({ ...kind, takesMs: 20 }))
    await strikeAll(system, long, plan())
    assert.deepEqual(clashes, [])
  })

  it('tells of a fault that could not be done, and goes on', async () => {
    const failed: string[] = []
    const { kinds, struck } = recorded(['a', 'b'], 1)
    const broken = kinds.map((kind) =>
      kind.file === 'a' ? { ...kind, strike: () => Promise.reject(new Error('no')) } : kind,
    )
    await strikeAll(system, broken, { ...plan(), failed: (kind) => failed.push(kind) })
    assert.deepEqual(failed, ['a-0'])
    assert.deepEqual(struck, ['b-1'])
  })
})

describe('possibleKinds', () => {
  it('leaves out other transports, and says what the machine lacks', () => {
    const { kinds } = recorded(['a', 'b', 'c'], 0)
    const [a, b, c] = kinds as [Kind, Kind, Kind]
    const lacking = { ...b, missing: () => 'there is no clock' }
    const found = possibleKinds([a, lacking, { ...c, transports: ['rabbitmq'] }], 'postgresql')
    assert.deepEqual(found.kinds, [a])
    assert.deepEqual(found.missing, [{ kind: 'b-1', why: 'there is no clock' }])
  })
})

function plan(): Plan {
  return {
    untilMs: undefined,
    pauseMs: [1, 5],
    random: seeded(1),
    record: () => {},
    failed: (kind, error) => assert.fail(`${kind}: ${error}`),
  }
}

/** Kinds of these files that take some milliseconds each. */
function recorded(files: readonly string[], takesMs: number) {
  const struck: string[] = []
  const clashes: string[] = []
  const active: Kind[] = []
  const kinds = files.map((file, i): Kind => {
    const kind = `${file}-${i}`
    return { kind, file, transports: ['postgresql', 'rabbitmq'], effects: [], strike }

    async function strike() {
      const self = kinds[i] as Kind
      struck.push(kind)
      for (const other of active) if (other.file === file) clashes.push(`${kind} and ${other.kind}`)
      active.push(self)
      await sleep(takesMs)
      active.splice(active.indexOf(self), 1)
      return undefined
    }
  })
  return { kinds, struck, clashes }
}
