import type { FastifyInstance } from 'fastify'
import { type TSchema, Type } from 'typebox'
import type { UseCases } from '../../usecases/index.ts'
import { refuseQuery } from '../query.ts'
import { answer, problemAnswers } from '../schemas.ts'
import { needs } from '../scopes.ts'

/** GET /system: how the installation itself is. */
export function systemStateRoutes(
  app: FastifyInstance,
  { useCases, version }: { useCases: Pick<UseCases, 'readSystem'>; version: string },
) {
  app.get('/system', { schema }, async (request) => {
    refuseQuery(request.query)
    return { version, at: new Date().toISOString(), ...(await useCases.readSystem()) }
  })
}

const orNull = (schema: TSchema, description: string) => Type.Union([schema, Type.Null()], { description })
const instant = Type.String({ format: 'date-time' })
const ageMs = Type.Number({ minimum: 0 })
const count = Type.Integer({ minimum: 0 })

const partition = Type.Object({
  name: Type.String(),
  from: orNull(instant, 'It has the tasks that were created from then on; null is the one for all others.'),
  to: orNull(instant, 'And before that.'),
  rows: Type.Integer({ description: 'As PostgreSQL estimates it.' }),
  bytes: count,
  sealed: Type.Boolean({ description: 'It is about to go, with all its tasks.' }),
})

const ledger = Type.Object({
  waitingPackets: count,
  unsentPackets: Type.Integer({ description: 'Of those that wait, what the broker does not have.' }),
  heldPackets: Type.Integer({ description: 'What workers run.' }),
  oldestWaitingAgeMs: orNull(ageMs, 'How long the oldest has waited.'),
  mostCounted: Type.Integer({ description: 'The counts end here: this many is this many or more.' }),
})

const broker = Type.Object({
  connected: Type.Boolean(),
  blocked: orNull(Type.String(), 'Why it takes no messages.'),
  since: Type.String({ format: 'date-time', description: 'When it was connected, or lost.' }),
})

const setting = Type.Object({
  variable: Type.String(),
  value: Type.String({ description: 'Passwords and keys are masked.' }),
  source: Type.Enum(['env', 'default']),
  meaning: Type.String(),
})

const finding = Type.Object({
  check: Type.String(),
  state: Type.Enum(['ok', 'warn', 'fail']),
  detail: Type.String(),
  advice: Type.Optional(Type.String({ description: 'What to do about it.' })),
})

const state = Type.Object({
  version: Type.String(),
  at: instant,
  database: Type.Object({
    version: orNull(Type.String(), 'Of PostgreSQL.'),
    sizeBytes: orNull(count, 'All of it.'),
    measuredAt: orNull(instant, 'Null while it is measured for the first time.'),
  }),
  partitions: Type.Array(partition),
  ledger,
  relay: orNull(
    Type.Object({ lagMs: ageMs }),
    'How long the oldest packet waits for being sent to the broker; null without one.',
  ),
  broker: orNull(broker, 'Null without one.'),
  settings: Type.Array(setting),
  checks: Type.Array(finding),
  checkedAt: orNull(instant, 'Null while it is checked for the first time.'),
})

const schema = {
  operationId: 'readSystem',
  security: needs('read'),
  summary: 'How the installation is: sizes, ledger, broker, settings, checks',
  description:
    'What takes its time is measured every ten seconds at most, and only when somebody asks; the answer has the last one. Settings and checks are those of the process that answers.',
  tags: ['System'],
  response: {
    200: answer('How it is.', state),
    ...problemAnswers('invalid-request', 'store-unavailable', 'shutting-down'),
  },
}
