import type { BulkAction } from '../../../../src/client/index.ts'
import { useMay } from '../../api/who.ts'
import { Button } from '../../ui/button.tsx'
import { count, duration, rate } from '../../ui/format.ts'
import { Hidden } from '../../ui/hidden.tsx'
import { ProgressBar } from '../../ui/progress.tsx'
import { Badge, type Mark } from '../../ui/status.tsx'
import type { Column } from '../../ui/table.tsx'
import { Ago } from '../../ui/time.tsx'
import type { BulkActs } from './bulk-acts.ts'

export function bulkColumns(acts: BulkActs): readonly Column<BulkAction>[] {
  return [...columns, { ...actions, cell: (action) => <RowActions action={action} {...acts} /> }]
}

const markOf: Record<BulkAction['status'], Mark> = {
  counting: 'pending',
  ready: 'scheduled',
  running: 'processing',
  done: 'completed',
  aborted: 'canceled',
  failed: 'failed',
}

const columns: readonly Column<BulkAction>[] = [
  { key: 'action', header: 'Action', width: '4rem', cell: ({ action }) => action },
  {
    key: 'filter',
    header: 'Of tasks with',
    width: 'minmax(8rem, 2fr)',
    from: 620,
    cell: ({ filter }) => <Filter filter={filter} />,
  },
  {
    key: 'status',
    header: 'Status',
    width: '6.5rem',
    cell: ({ status, error }) => (
      <span title={error ?? undefined}>
        <Badge mark={markOf[status]} text={status} />
      </span>
    ),
  },
  {
    key: 'progress',
    header: 'Progress',
    width: 'minmax(5rem, 1.5fr)',
    from: 480,
    cell: ({ id, action, matched, done, skipped }) => (
      <ProgressBar
        label={`Progress of ${action} ${id}`}
        total={matched}
        parts={[
          { value: done, tone: 'accent' },
          { value: skipped, tone: 'muted' },
        ]}
      />
    ),
  },
  {
    key: 'done',
    header: 'Done',
    width: '8.5rem',
    align: 'end',
    from: 560,
    cell: ({ done, matched, skipped }) => (
      <span title={`${count(skipped)} had moved on`}>
        {count(done)} / {count(matched)}
      </span>
    ),
  },
  {
    key: 'rate',
    header: 'Rate, left',
    width: '8rem',
    align: 'end',
    from: 860,
    cell: ({ ratePerSecond, remainingMs }) => pace(ratePerSecond, remainingMs),
  },
  {
    key: 'created',
    header: 'Created',
    width: '6rem',
    align: 'end',
    from: 760,
    cell: ({ createdAt }) => <Ago at={createdAt} />,
  },
]

function pace(ratePerSecond: number | null, remainingMs: number | null): string {
  if (ratePerSecond === null) return '–'
  return `${rate(ratePerSecond)}${remainingMs === null ? '' : `, ${duration(remainingMs)}`}`
}

const actions = {
  key: 'actions',
  header: <Hidden>Actions</Hidden>,
  width: '5rem',
  align: 'end',
} as const

function Filter({ filter }: Pick<BulkAction, 'filter'>) {
  const tokens = Object.entries(filter).map(([name, value]) => `${name}:${[value].flat().join(',')}`)
  const text = tokens.join(' ') || 'anything'
  return <code title={text}>{text}</code>
}

function RowActions({ action, start, abort }: BulkActs & { action: BulkAction }) {
  const { status, action: verb } = action
  if (!useMay('cancel')) return null
  if (status === 'ready')
    return (
      <Button small aria-label={`Start: ${verb}`} onClick={() => start(action)}>
        Start
      </Button>
    )
  if (status !== 'running' && status !== 'counting') return null
  return (
    <Button small aria-label={`Abort: ${verb}`} onClick={() => abort(action)}>
      Abort
    </Button>
  )
}
