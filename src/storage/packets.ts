import type { PacketId, PacketRef } from '../domain/packet.ts'
import type { Outbox, Place } from '../domain/ports.ts'
import type { Priority } from '../domain/task.ts'
import { int8s, texts } from './arrays.ts'
import type { Database } from './connection.ts'
import { priorityOf, rankOf } from './rows.ts'

export type PacketRow = [id: PacketId, queue: string, priority: number]

export function packetRef([id, queue, priority]: PacketRow): PacketRef {
  return { id, queue, priority: priorityOf(priority) }
}

/** The ledger as the broker's outbox. */
export function outbox(database: Database): Outbox {
  return {
    unsent: (limit, without) => unsent(database, limit, without),
    markSent: (packets) => markSent(database, packets),
    outstanding: (limit) => outstanding(database, limit),
    overdue: (ageMs) => overdue(database, ageMs),
    resend: (place, at) => resend(database, place, at),
  }
}

const readUnsent = {
  name: 'packets.unsent',
  text: `
  select id, queue, priority
    from packets
   where worker_id is null
     and sent_at is null
     and priority || ' ' || queue <> all ($2::text[])
   order by id
   limit $1`,
}

async function unsent({ run }: Database, limit: number, without: readonly Place[]): Promise<PacketRef[]> {
  const left = without.map(({ queue, priority }) => `${rankOf(priority)} ${queue}`)
  return (await run<PacketRow>(readUnsent, [limit, texts(left)])).map(packetRef)
}

// Waits for nobody: whoever holds a packet is about to claim it or is done with it, and locks others in an order of its
// own. If that is rolled back, the packet is sent once more, which is harmless.
const markAsSent = {
  name: 'packets.mark-sent',
  text: `
  with locked as materialized (
    select id
      from packets
     where id = any ($1::bigint[])
       and worker_id is null
     order by id
       for update skip locked
  )
  update packets as p set sent_at = now() from locked as l where p.id = l.id`,
}

async function markSent({ run }: Database, packets: readonly PacketId[]): Promise<void> {
  await run(markAsSent, [int8s(packets)])
}

// Those of paused queues are with nobody: workers have dropped their messages, and look for them when it goes on.
const countOutstanding = {
  name: 'packets.outstanding',
  text: `
  select count(*)
    from (select
            from packets
           where worker_id is null
             and sent_at is not null
             and queue <> all (array(select name from queues where paused_at is not null))
           limit $1) as sent`,
}

async function outstanding({ run }: Database, limit: number): Promise<number> {
  return (await run<[number]>(countOutstanding, [limit]))[0]![0]
}

/** The queues and priorities in which packets wait, by hops along the index: a few, however many packets there are. */
export const withWaitingPlaces = `
  with recursive place as (
    (select queue, priority from packets where worker_id is null order by queue, priority desc limit 1)
    union all
    select next.queue, next.priority
      from place
     cross join lateral (
       select queue, priority
         from packets
        where worker_id is null
          and (queue > place.queue or queue = place.queue and priority < place.priority)
        order by queue, priority desc
        limit 1) as next
  )`

/** When the packet was made that has waited longest in a `place`: as fast with a million waiting as with one. */
export const oldestOfPlace = `cross join lateral (
       select created_at from packets
        where worker_id is null and queue = place.queue and priority = place.priority
        order by id
        limit 1) as oldest`

const findOverdue = {
  name: 'packets.overdue',
  text: `${withWaitingPlaces}
  select p.queue, p.priority, now()::text
    from place as p
   where not exists (select from queues as q where q.name = p.queue and q.paused_at is not null)
     and exists (
     select from (select sent_at from packets
                   where worker_id is null and queue = p.queue and priority = p.priority
                   order by id limit 1000) as oldest
      where sent_at < now() - $1 * interval '1 millisecond')`,
}

async function overdue({ run }: Database, ageMs: number) {
  const rows = await run<[queue: string, priority: number, at: string]>(findOverdue, [ageMs])
  return rows.map(([queue, priority, at]) => ({ queue, priority: priorityOf(priority), at }))
}

const makeUnsent = {
  name: 'packets.resend',
  text: `
  with lost as materialized (
    select id
      from packets
     where queue = $1
       and priority = $2
       and worker_id is null
       and sent_at < $3::timestamptz
     order by id
       for update skip locked
  ), again as (
    update packets as p set sent_at = null from lost as l where p.id = l.id returning p.id
  )
  select count(*) from again`,
}

async function resend({ run }: Database, place: { queue: string; priority: Priority }, at: string) {
  return (await run<[number]>(makeUnsent, [place.queue, rankOf(place.priority), at]))[0]![0]
}
