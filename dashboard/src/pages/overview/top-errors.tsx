import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import type { FailureGroup } from '../../../../src/client/index.ts'
import { api } from '../../api/client.ts'
import { useMay } from '../../api/who.ts'
import { IconButton } from '../../ui/button.tsx'
import { confirm } from '../../ui/confirm.tsx'
import { count, plural } from '../../ui/format.ts'
import { Hidden } from '../../ui/hidden.tsx'
import { Section } from '../../ui/page.tsx'
import { Sparkline } from '../../ui/sparkline.tsx'
import { type Column, Table } from '../../ui/table.tsx'
import { Ago } from '../../ui/time.tsx'
import { toast, toastFailure } from '../../ui/toast.tsx'
import styles from './overview.module.css'

const everyMs = 10_000
const shownGroups = 5

/** What fails most. Nothing where nothing does. */
export function TopErrors() {
  const navigate = useNavigate()
  const { data } = useQuery({
    queryKey: ['errors', 'top'],
    queryFn: () => api().errors({ order: 'most', limit: shownGroups }),
    refetchInterval: everyMs,
  })
  if (data === undefined || data.data.length === 0) return null
  return (
    <Section title="What fails most">
      <Table
        label="What fails most"
        rows={data.data}
        columns={columns}
        rowKey={({ fingerprint }) => fingerprint}
        onOpen={({ fingerprint }) =>
          void navigate({ to: '/tasks', search: { status: 'failed', fingerprint } })
        }
      />
    </Section>
  )
}

const columns: readonly Column<FailureGroup>[] = [
  {
    key: 'error',
    header: 'Error',
    width: 'minmax(8rem, 4fr)',
    cell: ({ name, message }) => (
      <span title={message}>
        <b className={styles.errorName}>{name}</b> <span className={styles.dim}>{message}</span>
      </span>
    ),
  },
  {
    key: 'types',
    header: 'Types',
    width: 'minmax(5rem, 1fr)',
    from: 720,
    cell: ({ types }) => types.join(', '),
  },
  {
    key: 'trend',
    header: 'Last 24 h',
    width: '7rem',
    from: 560,
    cell: ({ trend }) => (
      <span className={styles.rowTrend}>
        <Sparkline values={trend} tone="bad" />
      </span>
    ),
  },
  { key: 'count', header: 'Failed', width: '4.5rem', align: 'end', cell: (group) => count(group.count) },
  {
    key: 'seen',
    header: 'Last seen',
    width: '6rem',
    align: 'end',
    from: 440,
    cell: ({ lastSeenAt }) => <Ago at={lastSeenAt} />,
  },
  {
    key: 'retry',
    header: <Hidden>Retry</Hidden>,
    width: '2rem',
    align: 'end',
    cell: (group) => <Retry group={group} />,
  },
]

function Retry({ group }: { group: FailureGroup }) {
  if (!useMay('cancel')) return null
  return <IconButton label={`Retry: ${group.message}`} icon="retry" small onClick={() => void retry(group)} />
}

/** All of the group, in the background. */
async function retry({ fingerprint, count: failed }: FailureGroup): Promise<void> {
  const what = `Retry ${plural(failed, 'task')}`
  const detail = 'All failures of the group are pending again, with fresh attempts.'
  if (!(await confirm({ title: `${what}?`, detail, action: what, danger: false }))) return
  try {
    await api().bulkActions.create('retry', { status: 'failed', fingerprint }, { start: true })
    toast('Retrying them: Bulk actions shows how far it is')
  } catch (error) {
    toastFailure('Retrying', error)
  }
}
