import assert from 'node:assert/strict'
import { it } from 'node:test'
import { StoreUnavailableError } from '../../src/domain/errors.ts'
import type { SystemStore } from '../../src/domain/system.ts'
import { readingSystem } from '../../src/usecases/system.ts'

const sizes = { version: '18.4', sizeBytes: 1, partitions: [] }
const ledger = {
  waitingPackets: 2,
  unsentPackets: 1,
  heldPackets: 0,
  oldestWaitingAgeMs: 9,
  oldestUnsentAgeMs: 7,
  mostCounted: 10,
}
const connected = { connected: true, blocked: null, since: '2030-01-31T09:00:00.000Z' }
const some = {
  system: { sizes: async () => sizes, ledger: async () => ledger } satisfies SystemStore,
  broker: () => null,
  settings: [],
  check: async () => [],
  sleep: async () => {},
}
const never = () => new Promise<never>(() => {})

it('measures and checks once for many who ask', async () => {
  const calls: string[] = []
  const called =
    <T>(name: string, value: T) =>
    async () => {
      calls.push(name)
      return value
    }
  const { readSystem } = readingSystem({
    ...some,
    system: { ...some.system, sizes: called('sizes', sizes) },
    check: called('check', []),
    sleep: never,
  })
  await Promise.all([readSystem(), readSystem()])
  const { database } = await readSystem()
  assert.deepEqual(calls.sort(), ['check', 'sizes'])
  assert.equal(database.sizeBytes, 1)
})

it('waits for nothing that takes long, and says that it is not known yet', async () => {
  const { readSystem } = readingSystem({ ...some, system: { ...some.system, sizes: never }, check: never })
  const { database, partitions, checks, checkedAt } = await readSystem()
  assert.deepEqual(database, { version: null, sizeBytes: null, measuredAt: null })
  assert.deepEqual({ partitions, checks, checkedAt }, { partitions: [], checks: [], checkedAt: null })
})

it('has a relay only where there is a broker', async () => {
  const { relay, broker } = await readingSystem(some).readSystem()
  assert.deepEqual({ relay, broker }, { relay: null, broker: null })
  const state = await readingSystem({ ...some, broker: () => connected }).readSystem()
  assert.deepEqual({ relay: state.relay, broker: state.broker }, { relay: { lagMs: 7 }, broker: connected })
})

it('fails while the database is away', async () => {
  const away = async () => {
    throw new StoreUnavailableError(new Error('gone'))
  }
  const { readSystem } = readingSystem({ ...some, system: { sizes: away, ledger: away } })
  await assert.rejects(readSystem(), StoreUnavailableError)
})
