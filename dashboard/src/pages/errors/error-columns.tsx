import { Link } from '@tanstack/react-router'
import type { FailureGroup } from '../../../../src/client/index.ts'
import { Button } from '../../ui/button.tsx'
import { count } from '../../ui/format.ts'
import { Hidden } from '../../ui/hidden.tsx'
import { withoutTricks } from '../../ui/json/tree.ts'
import { Sparkline } from '../../ui/sparkline.tsx'
import type { Column } from '../../ui/table.tsx'
import { Ago } from '../../ui/time.tsx'
import styles from './errors.module.css'

export function errorColumns({
  retry,
}: {
  retry: ((group: FailureGroup) => void) | undefined
}): readonly Column<FailureGroup>[] {
  return [
    ...columns,
    {
      key: 'actions',
      header: <Hidden>Actions</Hidden>,
      width: retry ? '9.5rem' : '5rem',
      align: 'end',
      from: 520,
      cell: (group) => (
        <span className={styles.actions}>
          <Link to="/tasks/$id" params={{ id: group.sampleTaskId }} className={styles.sample}>
            Sample
          </Link>
          {retry && (
            <Button
              small
              icon="retry"
              aria-label={`Retry all ${count(group.count)} like “${group.name}”`}
              onClick={() => retry(group)}
            >
              Retry
            </Button>
          )}
        </span>
      ),
    },
  ]
}

const columns: readonly Column<FailureGroup>[] = [
  {
    key: 'error',
    header: 'Error',
    width: 'minmax(9rem, 5fr)',
    cell: ({ name, message, topFrame }) => (
      <span className={styles.error} title={message}>
        <span className={styles.line}>
          <b>{withoutTricks(name)}</b> <bdi>{withoutTricks(message)}</bdi>
        </span>
        <span className={styles.frame}>{topFrame === null ? '' : withoutTricks(topFrame)}</span>
      </span>
    ),
  },
  {
    key: 'types',
    header: 'Types',
    width: 'minmax(6rem, 1.2fr)',
    from: 900,
    cell: ({ types }) => <span title={types.join(', ')}>{types.join(', ')}</span>,
  },
  {
    key: 'trend',
    header: 'Last 24 h',
    width: '8rem',
    from: 720,
    cell: ({ trend }) => (
      <span className={styles.trend}>
        <Sparkline values={trend} tone="bad" />
      </span>
    ),
  },
  {
    key: 'count',
    header: 'Failed',
    width: '4.5rem',
    align: 'end',
    cell: (group) => <b className={styles.count}>{count(group.count)}</b>,
  },
  {
    key: 'first',
    header: 'First seen',
    width: '5.5rem',
    align: 'end',
    from: 1000,
    cell: ({ firstSeenAt }) => <Ago at={firstSeenAt} />,
  },
  {
    key: 'last',
    header: 'Last seen',
    width: '5.5rem',
    align: 'end',
    from: 620,
    cell: ({ lastSeenAt }) => <Ago at={lastSeenAt} />,
  },
]
