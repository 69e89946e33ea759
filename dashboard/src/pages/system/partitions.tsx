import type { SystemState } from '../../../../src/client/index.ts'
import { bytes, count } from '../../ui/format.ts'
import { Badge } from '../../ui/status.tsx'
import { type Column, Table } from '../../ui/table.tsx'

type Partition = SystemState['partitions'][number]

/** The parts of the table of tasks, each with the days that it covers. */
export function Partitions({ partitions }: Pick<SystemState, 'partitions'>) {
  return <Table label="Partitions" rows={partitions} columns={columns} rowKey={({ name }) => name} />
}

const columns: readonly Column<Partition>[] = [
  {
    key: 'name',
    header: 'Name',
    width: 'minmax(7rem, 2fr)',
    cell: ({ name, sealed }) =>
      sealed ? <Badge mark="canceled" text={`${name} (about to go)`} /> : <code>{name}</code>,
  },
  { key: 'from', header: 'From', width: '7rem', from: 560, cell: ({ from }) => day(from) },
  { key: 'to', header: 'Before', width: '7rem', from: 640, cell: ({ to }) => day(to) },
  {
    key: 'rows',
    header: 'Tasks, about',
    width: '7rem',
    align: 'end',
    from: 420,
    cell: ({ rows }) => count(Math.max(0, rows)),
  },
  { key: 'bytes', header: 'Size', width: '5rem', align: 'end', cell: (partition) => bytes(partition.bytes) },
]

function day(at: string | null): string {
  return at === null ? '–' : at.slice(0, 10)
}
