import { texts } from './arrays.ts'
import type { Run } from './connection.ts'

const forgetLost = {
  name: 'admitted.forget-lost',
  text: `
  delete from admitted as a
   where queue = $1
     and not exists (select from packets as p where p.id = a.packet_id and p.worker_id is not null)`,
}

const openFull = {
  name: 'lanes.open-full',
  text: `
  update lanes as l
     set is_full = false
   where queue = $1
     and is_full
     and ($2::int is null
          or (select coalesce(sum(tasks), 0) from admitted as a where a.queue = l.queue and a.key = l.key) < $2::int)`,
}

/** Finds again what crashes have left: tasks that count and do not run, and lanes that wait for them. */
export async function healLanes(run: Run, queue: string, keyConcurrency: number | null): Promise<void> {
  await run(forgetLost, [queue])
  await run(openFull, [queue, keyConcurrency])
}

const openNamed = {
  name: 'lanes.open-named',
  text: 'update lanes set is_full = false where queue = $1 and key = any ($2::text[]) and is_full',
}

/** Lets these keys take turns again, because something of them has ended. */
export async function openLanes(run: Run, queue: string, keys: Iterable<string>): Promise<void> {
  await run(openNamed, [queue, texts([...keys])])
}

const readNext = {
  name: 'lanes.next',
  text: `
  select exists (select from lanes where queue = $1),
         (select greatest(0, extract(epoch from ready_at - clock_timestamp()) * 1000)::float8
            from lanes where queue = $1 and not is_full order by ready_at limit 1)`,
}

/** Whether tasks are parked, and when the next lane has its turn, unless all are full. */
export async function nextTurn(
  run: Run,
  queue: string,
): Promise<{ waits: boolean; readyInMs: number | null }> {
  const [[waits, readyInMs]] = (await run<[boolean, number | null]>(readNext, [queue])) as [
    [boolean, number | null],
  ]
  return { waits, readyInMs }
}
