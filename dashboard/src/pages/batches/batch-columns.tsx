import { Link } from '@tanstack/react-router'
import type { Batch } from '../../../../src/client/index.ts'
import { useMay } from '../../api/who.ts'
import { IconButton } from '../../ui/button.tsx'
import { count, duration } from '../../ui/format.ts'
import { Hidden } from '../../ui/hidden.tsx'
import { ProgressBar } from '../../ui/progress.tsx'
import { Badge } from '../../ui/status.tsx'
import type { Column } from '../../ui/table.tsx'
import { Ago } from '../../ui/time.tsx'
import { type BatchActions, unfinished } from './batch-actions.ts'
import styles from './batches.module.css'

export function batchColumns(acts: BatchActions): readonly Column<Batch>[] {
  return [...columns, { ...actions, cell: (batch) => <RowActions batch={batch} {...acts} /> }]
}

const columns: readonly Column<Batch>[] = [
  {
    key: 'id',
    header: 'Batch',
    width: 'minmax(6rem, 17.5rem)',
    from: 720,
    cell: ({ id }) => (
      <Link to="/tasks" search={{ batchId: id }}>
        <code>{id}</code>
      </Link>
    ),
  },
  {
    key: 'state',
    header: 'State',
    width: '7.5rem',
    cell: (batch) => <State batch={batch} />,
  },
  {
    key: 'progress',
    header: 'Progress',
    width: 'minmax(7rem, 2fr)',
    cell: ({ total, counts, id }) => (
      <ProgressBar
        label={`Progress of ${id}`}
        total={total}
        parts={[
          { value: counts.completed, tone: 'good' },
          { value: counts.failed, tone: 'bad' },
          { value: counts.canceled, tone: 'muted' },
        ]}
      />
    ),
  },
  {
    key: 'done',
    header: 'Done',
    width: '7.5rem',
    align: 'end',
    from: 420,
    cell: (batch) => `${count(batch.total - unfinished(batch))} / ${count(batch.total)}`,
  },
  {
    key: 'failed',
    header: 'Failed',
    width: '4rem',
    align: 'end',
    from: 560,
    cell: ({ id, counts }) =>
      counts.failed === 0 ? (
        '0'
      ) : (
        <Link to="/tasks" search={{ batchId: id, status: 'failed' }} className={styles.failed}>
          {count(counts.failed)}
        </Link>
      ),
  },
  {
    key: 'took',
    header: 'Took',
    width: '6rem',
    align: 'end',
    from: 1100,
    cell: ({ createdAt, finishedAt }) =>
      finishedAt === null ? '–' : duration(Date.parse(finishedAt) - Date.parse(createdAt)),
  },
  {
    key: 'created',
    header: 'Created',
    width: '6rem',
    align: 'end',
    from: 640,
    cell: ({ createdAt }) => <Ago at={createdAt} />,
  },
]

function State({ batch: { finishedAt, importing, counts } }: { batch: Batch }) {
  if (importing) return <Badge mark="processing" text="importing" />
  if (finishedAt === null) return <Badge mark="processing" text="running" />
  return counts.failed > 0 ? (
    <Badge mark="failed" text="with failures" />
  ) : (
    <Badge mark="completed" text="finished" />
  )
}

const actions = {
  key: 'actions',
  header: <Hidden>Actions</Hidden>,
  width: '4.25rem',
  align: 'end',
} as const

function RowActions({ batch, cancel, retry }: BatchActions & { batch: Batch }) {
  if (!useMay('cancel')) return null
  return (
    <span className={styles.actions}>
      {batch.counts.failed > 0 && (
        <IconButton
          label={`Retry what failed of ${batch.id}`}
          icon="retry"
          small
          onClick={() => retry(batch)}
        />
      )}
      {unfinished(batch) > 0 && (
        <IconButton
          label={`Cancel the rest of ${batch.id}`}
          icon="close"
          small
          onClick={() => cancel(batch)}
        />
      )}
    </span>
  )
}
