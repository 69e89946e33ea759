import { Link } from '@tanstack/react-router'
import type { TaskSummary } from '../../../../src/client/index.ts'
import { classNames } from '../../ui/class-names.ts'
import { duration, relative } from '../../ui/format.ts'
import { StatusBadge } from '../../ui/status.tsx'
import type { Column } from '../../ui/table.tsx'
import { Ago } from '../../ui/time.tsx'
import { useNow } from '../../ui/use-now.ts'
import type { Selection } from './selection.ts'
import styles from './tasks.module.css'

type About = {
  selection: Selection
  isGone: (id: string) => boolean
  isOther: (task: TaskSummary) => boolean
}

export function taskColumns({ selection, isGone, isOther }: About): readonly Column<TaskSummary>[] {
  const dimmed = (task: TaskSummary) => isGone(task.id) || isOther(task)
  return [
    selectColumn(selection),
    {
      key: 'status',
      header: 'Status',
      width: '6.5rem',
      cell: (task) =>
        isGone(task.id) ? (
          <span className={styles.dim}>deleted</span>
        ) : (
          <span className={classNames(dimmed(task) && styles.dim)}>
            <StatusBadge status={task.status} />
          </span>
        ),
    },
    {
      key: 'type',
      header: 'Task',
      width: 'minmax(7rem, 1fr)',
      cell: (task) => (
        <Link
          to="/tasks/$id"
          params={{ id: task.id }}
          tabIndex={-1}
          title={task.id}
          className={classNames(styles.type, dimmed(task) && styles.dim)}
        >
          {task.type}
        </Link>
      ),
    },
    ...columns,
  ]
}

function selectColumn(selection: Selection): Column<TaskSummary> {
  return {
    key: 'select',
    width: '1.25rem',
    header: (
      <input
        type="checkbox"
        aria-label="Select all rows"
        className={styles.check}
        checked={selection.isWhole}
        ref={(box) => {
          if (box) box.indeterminate = selection.count > 0 && !selection.isWhole
        }}
        onChange={selection.toggleAll}
      />
    ),
    cell: ({ id }) => (
      <input
        type="checkbox"
        tabIndex={-1}
        aria-label={`Select ${id}`}
        className={styles.check}
        checked={selection.has(id)}
        onClick={(event) => selection.toggle(id, event.shiftKey)}
        onChange={() => {}}
      />
    ),
  }
}

const columns: readonly Column<TaskSummary>[] = [
  {
    key: 'about',
    header: 'What of it',
    width: 'minmax(8rem, 2.2fr)',
    from: 760,
    cell: (task) => <What task={task} />,
  },
  { key: 'queue', header: 'Queue', width: 'minmax(5rem, 0.7fr)', from: 620, cell: ({ queue }) => queue },
  { key: 'key', header: 'Key', width: '8rem', from: 1280, cell: ({ key }) => <bdi>{key ?? ''}</bdi> },
  {
    key: 'attempt',
    header: 'Attempt',
    width: '4.5rem',
    align: 'end',
    from: 900,
    cell: ({ attempt, maxAttempts }) => (attempt === 0 ? <Nothing /> : `${attempt} / ${maxAttempts}`),
  },
  {
    key: 'took',
    header: 'Ran',
    width: '5rem',
    align: 'end',
    from: 900,
    cell: (task) => <Ran task={task} />,
  },
  {
    key: 'created',
    header: 'Created',
    from: 400,
    width: '5.75rem',
    align: 'end',
    cell: ({ createdAt }) => <Ago at={createdAt} />,
  },
  {
    key: 'id',
    header: 'Id',
    width: '18rem',
    from: 1400,
    cell: ({ id }) => <code className={styles.id}>{id}</code>,
  },
]

const Nothing = () => <span className={styles.dim}>–</span>

/** What one would open the task for: why it failed, when it is due, what its last attempt ended with. */
function What({ task: { status, error, runAt, attempt } }: { task: TaskSummary }) {
  const nowMs = useNow()
  if (status === 'failed' && error)
    return (
      <span className={styles.failure} title={`${error.name}: ${error.message}`}>
        <b>{error.name}</b> <bdi>{error.message}</bdi>
      </span>
    )
  if (status === 'scheduled') {
    const due = `${Date.parse(runAt) < nowMs ? 'was due' : 'due'} ${relative(runAt, nowMs)}`
    return (
      <span className={styles.quiet}>
        {attempt > 0 && error ? `backing off, ${due}: ` : due}
        {attempt > 0 && error && <bdi>{error.message}</bdi>}
      </span>
    )
  }
  if (error && status !== 'completed')
    return (
      <span className={styles.quiet}>
        before: {error.name} <bdi>{error.message}</bdi>
      </span>
    )
  return null
}

function Ran({ task: { status, startedAt, finishedAt } }: { task: TaskSummary }) {
  if (startedAt === null) return <Nothing />
  if (status === 'processing') return <RunsFor since={startedAt} />
  return finishedAt === null ? (
    <Nothing />
  ) : (
    duration(Math.max(0, Date.parse(finishedAt) - Date.parse(startedAt)))
  )
}

function RunsFor({ since }: { since: string }) {
  return <span className={styles.runs}>{duration(Math.max(0, useNow() - Date.parse(since)))}</span>
}
