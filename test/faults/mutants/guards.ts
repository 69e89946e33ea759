import type { Edit, Mutant } from './mutant.ts'

const claim = 'src/storage/claim.ts'
const finish = 'src/storage/finish.ts'
const cancel = 'src/storage/cancel.ts'
const heldPackets = 'src/storage/held-packets.ts'

/** Behind it, nothing that a broker has lost stays lost: the guards in front of it show only without it. */
const noMarkers: Edit = {
  file: 'src/usecases/markers.ts',
  text: 'await deps.publisher.mark(place, at)',
  instead: 'await deps.outbox.overdue(markEveryMs)',
}

/** The guards on which the promises rest. A run of each mutant must fail. */
export const guards: readonly Mutant[] = [
  {
    guard: 'completed behind the fence',
    edits: [
      {
        file: finish,
        text: `     where t.id = o.id
       and t.attempt = o.attempt
       and t.status = 'processing'
    returning t.id, t.queue, t.type, t.attempt, t.batch_id
`,
        instead: `     where t.id = o.id
       and t.status = 'processing'
    returning t.id, t.queue, t.type, t.attempt, t.batch_id
`,
      },
    ],
    transport: 'postgresql',
    kinds: 'worker declared dead though it lives',
    breaks: '3 a final status stays, with one outcome',
  },
  {
    guard: 'completed while it is processing',
    edits: [
      {
        file: finish,
        text: `       and t.status = 'processing'
    returning t.id, t.queue, t.type, t.attempt, t.batch_id
`,
        instead: `    returning t.id, t.queue, t.type, t.attempt, t.batch_id
`,
      },
    ],
    transport: 'postgresql',
    kinds: 'worker SIGSTOP and SIGCONT',
    minutes: 0.3,
    breaks: '4 nothing starts or is stored after a cancellation',
  },
  {
    guard: 'handed back behind the fence',
    edits: [
      {
        file: finish,
        text: `       and t.attempt = o.attempt
       and t.status = 'processing'
    returning t.id, t.queue, t.type, t.attempt, t.batch_id, case t.crashes`,
        instead: `       and t.status = 'processing'
    returning t.id, t.queue, t.type, t.attempt, t.batch_id, case t.crashes`,
      },
    ],
    transport: 'postgresql',
    kinds: 'worker declared dead while another runs what it had',
    breaks: 'a repeated start has a reason',
  },
  {
    guard: 'only the pending start',
    edits: [
      { file: claim, text: `started_at = now()`, instead: `started_at = now(), finished_at = null` },
      {
        file: claim,
        text: `and t.status = 'pending'
       and t.type = any ($5)`,
        instead: `and t.status in ('pending', 'canceled')
       and t.type = any ($5)`,
      },
    ],
    transport: 'postgresql',
    kinds: 'all workers kill -9',
    minutes: 0.3,
    breaks: '4 nothing starts or is stored after a cancellation',
  },
  {
    guard: 'only unclaimed packets are claimed',
    edits: [
      {
        file: claim,
        text: `       and worker_id is null\${more}`,
        instead: `\${more}`,
      },
    ],
    transport: 'rabbitmq',
    kinds: 'after everything was delivered three times',
    breaks: '2 every task becomes final',
  },
  {
    guard: 'put back what is processing under that worker',
    edits: [
      {
        file: heldPackets,
        text: "(t.status = 'processing' and t.worker_id = $1 or t.status = 'pending')",
        instead: "t.status in ('processing', 'pending')",
      },
    ],
    transport: 'postgresql',
    kinds: 'worker declared dead while another runs what it had',
    breaks: 'a repeated start has a reason',
  },
  {
    guard: 'a packet goes with its last task',
    edits: [
      {
        file: 'src/usecases/attempts-in-hand.ts',
        text: 'if (left === 0) done.push(packet)',
        instead: 'if (left >= 0) done.push(packet)',
      },
    ],
    transport: 'postgresql',
    kinds: 'all workers kill -9',
    minutes: 0.4,
    rate: 400,
    breaks: '2 every task becomes final',
  },
  {
    guard: 'the dead are those whose lock is free',
    edits: [
      {
        file: 'src/storage/sweep.ts',
        text: `               and pg_try_advisory_xact_lock(\${workerLockOf('id')}) then true`,
        instead: '               then true',
      },
    ],
    transport: 'postgresql',
    kinds: 'api SIGSTOP and SIGCONT',
    breaks: 'a repeated start has a reason',
  },
  {
    guard: 'what a lost claim took is given back',
    edits: [
      {
        file: 'src/usecases/reconcile.ts',
        text: 'if (lost.length > 0) announce',
        instead: 'if (lost.length < 0) announce',
      },
    ],
    transport: 'postgresql',
    kinds: 'after the commit of claim',
    breaks: '2 every task becomes final',
  },
  {
    guard: 'a crash is not a failure',
    edits: [
      {
        file: heldPackets,
        text: 'crashes = greatest(t.crashes, $3)',
        instead: 'failures = t.failures + $3',
      },
    ],
    transport: 'postgresql',
    kinds: 'worker kill -9',
    breaks: '3 a final status stays, with one outcome',
  },
  {
    guard: 'no more failures than allowed',
    edits: [
      {
        file: 'src/domain/outcome.ts',
        text: '!verdict.retryable || failures >= maxAttempts',
        instead: '!verdict.retryable || failures > maxAttempts',
      },
    ],
    transport: 'postgresql',
    kinds: 'handler throws undefined',
    breaks: '3 a final status stays, with one outcome',
  },
  {
    guard: 'what is completed cannot be canceled',
    edits: [
      {
        file: cancel,
        text: `       and l.status in ('scheduled', 'pending', 'processing')`,
        instead: `       and l.status <> 'canceled'`,
      },
    ],
    transport: 'postgresql',
    kinds: 'worker SIGSTOP and SIGCONT',
    minutes: 0.3,
    breaks: '3 a final status stays, with one outcome',
  },
  {
    guard: 'a key is taken once',
    edits: [
      {
        file: 'src/storage/keyed-tasks.ts',
        text: `      on conflict (key) do nothing`,
        instead: `      on conflict (key) do update set task_id = excluded.task_id`,
      },
    ],
    transport: 'postgresql',
    kinds: 'after the commit of submit',
    minutes: 0.3,
    breaks: '6 every statement may be repeated',
  },
  {
    guard: 'counts move with the tasks',
    edits: [
      {
        file: heldPackets,
        text: "countMoves('returned', { from: 'processing', to: 'pending' })",
        instead: "countMoves('returned', { from: 'processing', to: 'scheduled' })",
      },
    ],
    transport: 'postgresql',
    kinds: 'worker kill -9',
    breaks: '5 counts are exact',
  },
  {
    guard: 'an outage is answered with 503',
    edits: [
      {
        file: 'src/api/error-reply.ts',
        text: 'if (error instanceof StoreUnavailableError)',
        instead: 'if (error instanceof StoreUnavailableError && error.cause === undefined)',
      },
    ],
    transport: 'postgresql',
    kinds: 'PostgreSQL away for some seconds',
    breaks: '8 in an outage clients wait and processes stay',
  },
  {
    guard: 'what nobody has sent is sent',
    edits: [
      {
        file: 'src/usecases/strays.ts',
        text: 'strays.length > 0 ? await deps.carry(strays) : []',
        instead: 'strays.length < 0 ? await deps.carry(strays) : []',
      },
    ],
    transport: 'rabbitmq',
    kinds: 'RabbitMQ restart',
    breaks: '2 every task becomes final',
  },
  {
    guard: 'what the broker has lost is sent again',
    edits: [noMarkers],
    transport: 'rabbitmq',
    kinds: 'RabbitMQ queues purged while no worker runs',
    breaks: '2 every task becomes final',
  },
  {
    guard: 'what cannot be routed is not sent',
    edits: [
      noMarkers,
      { file: 'src/broker/rabbitmq-confirms.ts', text: 'mandatory: true', instead: 'mandatory: false' },
    ],
    transport: 'rabbitmq',
    kinds: 'RabbitMQ queues deleted while no worker runs',
    breaks: '2 every task becomes final',
  },
  {
    guard: 'sent is what was confirmed',
    edits: [
      noMarkers,
      {
        file: 'src/usecases/carry.ts',
        text: 'const sent = await publisher.publish(round)',
        instead: `const sent = round.map(({ id }) => id)
    void publisher.publish(round).catch(() => {})`,
      },
    ],
    transport: 'rabbitmq',
    kinds: 'RabbitMQ restart',
    breaks: '2 every task becomes final',
  },
  {
    guard: 'acknowledged is what was claimed',
    edits: [
      noMarkers,
      {
        file: 'src/usecases/claim.ts',
        text: 'deps.source.failed(want)',
        instead: 'deps.source.claimed(want, { tasks: [], packets: [], oversized: [], blocked: [] })',
      },
    ],
    transport: 'rabbitmq',
    kinds: 'before the commit of claim',
    breaks: '2 every task becomes final',
  },
]
