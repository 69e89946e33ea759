import type { PacketId } from '../domain/packet.ts'
import { int4s, int8s, texts } from './arrays.ts'
import type { Database } from './connection.ts'

/** A packet that was claimed within limits, with the keys of its tasks in their order. */
export type AdmittedPacket = {
  queue: string
  packet: PacketId
  taskIds: readonly string[]
  keys: readonly string[]
}

// What is left, and not what has ended, so that it may be repeated: nobody but its worker writes of a packet, and one
// statement after the other. By place and by conflict, and not by joins, whose plans would be made for a small table.
const writeLeft = {
  name: 'admitted.release',
  text: `
  with remaining as materialized (
    select * from unnest($1::text[], $2::text[], $3::bigint[], $4::int[]) as r (queue, key, packet_id, tasks)
  ), ended as materialized (
    select a.row_at
      from remaining as r
     cross join lateral (
       select ctid as row_at from admitted
        where queue = r.queue and key = r.key and packet_id = r.packet_id
        limit 1) as a
     where r.tasks = 0
  ), gone as (
    delete from admitted where ctid = any (array(select row_at from ended))
  )
  insert into admitted as a (queue, key, packet_id, tasks)
  select queue, key, packet_id, tasks from remaining where tasks > 0
      on conflict (queue, key, packet_id) do update set tasks = excluded.tasks`,
}

type Lot = { queue: string; key: string; packet: PacketId; tasks: number }
type Held = { queue: string; keys: Map<string, string>; left: Map<string, number> }

type Admitted = {
  readonly size: number
  add(packet: AdmittedPacket): void
  /**
   * Gives back what has ended: these tasks, and all that is left of these packets. Answers the keys of which there
   * are fewer now.
   */
  give(
    ended: readonly { id: string; packet: PacketId }[],
    settled: readonly PacketId[],
  ): Promise<{ queue: string; key: string }[]>
}

/** Where this process lets others have something, it has nothing to give back. */
export const admittedElsewhere: Admitted = { size: 0, add: () => {}, give: async () => [] }

/** What one process has been let have, so that it can give it back. */
export function admittedHere({ run }: Database): Admitted {
  const packets = new Map<PacketId, Held>()

  return {
    get size() {
      return packets.size
    },
    add({ queue, packet, taskIds, keys }: AdmittedPacket) {
      const held: Held = { queue, keys: new Map(), left: new Map() }
      for (const [i, id] of taskIds.entries()) {
        const key = keys[i] ?? ''
        held.keys.set(id, key)
        held.left.set(key, (held.left.get(key) ?? 0) + 1)
      }
      packets.set(packet, held)
    },
    give,
  }

  async function give(
    ended: readonly { id: string; packet: PacketId }[],
    settled: readonly PacketId[],
  ): Promise<Lot[]> {
    const lots = new Map<string, Lot>()
    for (const { id, packet } of ended) {
      const held = packets.get(packet)
      const key = held?.keys.get(id)
      if (held && key !== undefined && held.keys.delete(id)) note(lots, { held, key, packet, less: 1 })
    }
    for (const packet of settled) {
      const held = packets.get(packet)
      for (const [key, left] of held?.left ?? [])
        if (held && left > 0) note(lots, { held, key, packet, less: left })
    }
    const rows = [...lots.values()]
    if (rows.length > 0) await write(rows)
    for (const packet of settled) packets.delete(packet)
    return rows
  }

  async function write(lots: readonly Lot[]): Promise<void> {
    await run(writeLeft, [
      texts(lots.map(({ queue }) => queue)),
      texts(lots.map(({ key }) => key)),
      int8s(lots.map(({ packet }) => packet)),
      int4s(lots.map(({ tasks }) => tasks)),
    ])
  }
}

function note(
  lots: Map<string, Lot>,
  { held, key, packet, less }: { held: Held; key: string; packet: PacketId; less: number },
): void {
  const tasks = (held.left.get(key) ?? less) - less
  held.left.set(key, tasks)
  lots.set(`${packet} ${key}`, { queue: held.queue, key, packet, tasks })
}
