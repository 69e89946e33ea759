import { until } from '../../support/until.ts'
import type { Effect, Fault, System } from '../trial/fault.ts'

const transports = ['postgresql', 'rabbitmq'] as const

type Poison = { type: string; payload?: unknown; maxAttempts?: number; timeoutMs?: number }

/** Handlers that misbehave beside others that do not. */
export const faults: Fault[] = [
  misbehaving('handler throws undefined', { type: 'throws', maxAttempts: 2 }),
  misbehaving('handler hangs', { type: 'hangs', timeoutMs: 500, maxAttempts: 2 }),
  misbehaving('handler rejects and nobody awaits it', { type: 'rejects-unhandled' }),
  misbehaving('handler returns a BigInt', { type: 'returns-bigint' }),
  misbehaving('handler returns a circle', { type: 'returns-circle' }),
  misbehaving('handler returns too much', { type: 'returns-too-much' }),
  misbehaving('handler blocks the event loop for 5 s', { type: 'blocks' }),
  {
    ...misbehaving('handler blocks the event loop for 60 s', { type: 'blocks-for-a-minute' }, ['restarts']),
    transports: ['postgresql'], // which of the two has no part in it
    takesMs: 70_000,
  },
  misbehaving('handler throws outside of its promise', { type: 'throws-uncaught', maxAttempts: 2 }, deadly()),
  misbehaving('handler calls process.exit', { type: 'exits', maxAttempts: 2 }, deadly()),
  misbehaving('handler exhausts the memory', { type: 'exhausts-memory', maxAttempts: 2 }, deadly()),
  {
    kind: 'handler ignores that its task was canceled',
    transports,
    effects: [],
    async strike(system) {
      const ids = await plant(system, { type: 'ignores-signal', payload: { ms: 2_000 } }, 3)
      await untilStatus(system, ids, ['processing'])
      for (const id of ids) await system.cancel(id)
      return { members: system.workers }
    },
  },
]

function deadly(): Effect[] {
  return ['exits', 'restarts']
}

/** Plants some of them, and resolves when each has come to its end. */
function misbehaving(kind: string, poison: Poison, effects: Effect[] = []): Fault {
  return {
    kind,
    transports,
    effects,
    async strike(system, random) {
      const ids = await plant(system, poison, effects.length > 0 ? 1 : random.between(1, 5))
      await untilStatus(system, ids, ['completed', 'failed'])
      return { members: system.workers }
    },
  }
}

function plant(system: System, poison: Poison, count: number): Promise<string[]> {
  return system.submit(Array.from({ length: count }, () => poison))
}

/** Or further: what is completed was processing. */
async function untilStatus({ database }: System, ids: string[], statuses: string[]): Promise<void> {
  const deadlineMs = 300_000
  await until(
    async () => {
      const [row] = await database.query<{ left: number }>(
        `select count(*)::int as left from millrace.tasks
          where id = any ($1) and status::text <> all ($2) and status not in ('completed', 'failed', 'canceled')`,
        [ids, statuses],
      )
      return row?.left === 0
    },
    { deadlineMs, what: `${ids.length} tasks are ${statuses.join(' or ')}` },
  )
}
