import { idSource } from '../src/domain/id.ts'
import { expectedCapacity, pack } from '../src/domain/packet.ts'
import type { NewTask } from '../src/domain/submission.ts'
import { openDatabase } from '../src/storage/connection.ts'
import { taskStore } from '../src/storage/tasks.ts'
import { workLedger } from '../src/storage/work-ledger.ts'
import { loadWith, nothing, type Payload, serve } from './serve.ts'

// The statements of the product in a bare loop: no HTTP, no handlers, nobody who waits, nothing that could fail.
const [url = ''] = process.argv.slice(2)
const loops = 3
const room = 1_000
const database = openDatabase(url, { connections: loops, statementTimeoutMs: 30_000, plans: 'moves' })
const newId = idSource()
const store = taskStore(database)

serve({
  prepare() {},
  ...loadWith(submit),
  async work(expected: number) {
    const run = nothing(expected, 0)
    void Promise.all(Array.from({ length: loops }, () => workOff(run, expected)))
  },
  async completed() {
    const rows = await database.run<[number]>({
      name: '',
      text: `select coalesce(sum(n), 0)::int from counters where status = 'completed'`,
    })
    return rows[0]![0]
  },
})

async function submit(payloads: readonly Payload[]): Promise<void> {
  const { tasks, packets } = pack(payloads.map(aTask), () => expectedCapacity)
  await store.submit({ now: tasks, packets, later: [], batches: [] })
}

let done = 0

async function workOff(run: () => unknown, expected: number): Promise<void> {
  const ledger = workLedger(database)
  const worker = { id: newId(), types: ['noop'], packetLimit: room }
  while (done < expected) {
    const { tasks, packets } = await ledger.claim(worker, { room, queues: ['default'], look: 2 * room })
    for (const _ of tasks) run()
    const outcomes = tasks.map((task) => ({ task, status: 'completed', result: 'null' }) as const)
    await ledger.finish(
      worker.id,
      outcomes,
      packets.map(({ id }) => id),
    )
    done += tasks.length
  }
}

function aTask(payload: Payload): NewTask {
  return {
    id: newId(),
    type: 'noop',
    queue: 'default',
    priority: 'normal',
    payload: JSON.stringify(payload),
    due: 'now',
  }
}
