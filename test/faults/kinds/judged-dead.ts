import { until } from '../../support/until.ts'
import type { Fault, Member, System } from '../trial/fault.ts'

const transports = ['postgresql', 'rabbitmq'] as const
const deadlineMs = 60_000

/** The fence and the look at whose task it is: a worker is given up that still runs what it has claimed. */
export const faults: Fault[] = [
  {
    kind: 'worker declared dead though it lives',
    transports,
    effects: ['restarts'],
    async strike(system, random) {
      const worker = await lifeOf(system, random.pick(system.workers))
      await system.submit(slowTasks(40, (i) => 250 * i))
      await untilRuns(system, worker, 1)
      await giveUp(system, worker)
      return { members: [worker.member] }
    },
  },
  {
    kind: 'worker declared dead while another runs what it had',
    transports,
    effects: ['restarts'],
    async strike(system, random) {
      const worker = await lifeOf(system, random.pick(system.workers))
      await system.submit(slowTasks(40, () => 12_000))
      const moved = await untilRuns(system, worker, 6)
      await Promise.all(moved.map((task) => system.cancel(task)))
      await Promise.all(moved.map((task) => system.retry(task)))
      await giveUp(system, worker)
      return { members: [worker.member] }
    },
  },
]

/** A worker as the database knows it, for as long as its process lives. */
type Life = { member: Member; pid: number; id: string }

function slowTasks(count: number, msOf: (i: number) => number) {
  return Array.from({ length: count }, (_, i) => ({ type: 'slow', payload: { ms: msOf(i) } }))
}

async function lifeOf({ database }: System, member: Member): Promise<Life> {
  const find = async () => {
    const pid = member.pid()
    const rows = await database.query<{ id: string }>('select id from millrace.workers where pid = $1', [pid])
    return rows[0] && { member, pid, id: rows[0].id }
  }
  return until(find, { deadlineMs, what: `${member.name} has announced itself` })
}

/**
 * Answers tasks that the worker runs, at least so many and not more than half of each packet, so that no packet is
 * done without the others. None when another fault ends the worker meanwhile.
 */
async function untilRuns({ database }: System, worker: Life, count: number): Promise<string[]> {
  const find = async () => {
    if (hasEnded(worker)) return []
    const rows = await database.query<{ id: string }>(
      `select t.id
         from millrace.packets as p cross join lateral unnest(p.task_ids) with ordinality as u (id, place)
         join millrace.tasks as t on t.id = u.id
        where p.worker_id = $1 and t.worker_id = $1 and t.status = 'processing' and t.type = 'slow'
          and ($2 = 1 or u.place % 2 = 0)`,
      [worker.id, count],
    )
    return rows.length >= count && rows.map(({ id }) => id)
  }
  return until(find, { deadlineMs, what: `${count} slow tasks run on ${worker.member.name}` })
}

/** Says that the worker is dead until it is buried, and waits until it has come back to life. */
async function giveUp(system: System, worker: Life): Promise<void> {
  const isBuried = async () => {
    const rows = await system.database.query(
      `update millrace.workers set last_seen_at = '-infinity' where id = $1 returning id`,
      [worker.id],
    )
    return rows.length === 0 || hasEnded(worker)
  }
  await until(isBuried, { deadlineMs, what: `${worker.member.name} is declared dead` })
  await lifeOf(system, worker.member)
}

function hasEnded({ member, pid }: Life): boolean {
  return member.pid() !== pid
}
