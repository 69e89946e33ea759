import { useMutation, useQueryClient } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import { useMay } from '../../api/who.ts'
import { IconButton } from '../../ui/button.tsx'
import { confirm } from '../../ui/confirm.tsx'
import { Hidden } from '../../ui/hidden.tsx'
import { Badge } from '../../ui/status.tsx'
import { type Column, Table } from '../../ui/table.tsx'
import { Ago, Clock } from '../../ui/time.tsx'
import { toast, toastFailure } from '../../ui/toast.tsx'
import type { ScheduleRow } from './schedule-draft.ts'
import styles from './schedules.module.css'

type TableProps = { rows: readonly ScheduleRow[]; onEdit: (schedule: ScheduleRow) => void }

export function ScheduleTable({ rows, onEdit }: TableProps) {
  const act = useAct()
  const actions: Column<ScheduleRow> = {
    key: 'actions',
    header: <Hidden>Actions</Hidden>,
    width: '6.25rem',
    align: 'end',
    cell: (row) => <RowActions row={row} act={act} />,
  }
  return (
    <Table
      label="Schedules"
      rows={rows}
      columns={[...columns, actions]}
      rowKey={({ name }) => name}
      {...(useMay('admin') ? { onOpen: onEdit } : {})}
    />
  )
}

type Act = (doing: { text: string; call: () => Promise<unknown> }) => void

function useAct(): Act {
  const queries = useQueryClient()
  const { mutate } = useMutation({
    mutationFn: ({ call }: Parameters<Act>[0]) => call(),
    onSuccess: (_, { text }) => {
      toast(text)
      return queries.invalidateQueries({ queryKey: ['schedules'] })
    },
    onError: (error, { text }) => toastFailure(text, error),
  })
  return mutate
}

function RowActions({ row: { name, paused }, act }: { row: ScheduleRow; act: Act }) {
  const { schedules } = api()
  const maySubmit = useMay('submit')
  const mayChange = useMay('admin')
  const remove = async () => {
    const question = {
      title: `Delete the schedule “${name}”?`,
      detail: 'No more tasks come of it. Those that it has submitted stay. This cannot be undone.',
      action: 'Delete it',
    }
    if (await confirm(question)) act({ text: `Deleted ${name}`, call: () => schedules.delete(name) })
  }
  return (
    <span className={styles.actions}>
      {maySubmit && (
        <IconButton
          label={`Run ${name} now`}
          icon="bolt"
          small
          onClick={() => act({ text: `Submitted the task of ${name}`, call: () => schedules.run(name) })}
        />
      )}
      {mayChange && paused && (
        <IconButton
          label={`Resume ${name}`}
          icon="play"
          small
          onClick={() => act({ text: `Resumed ${name}`, call: () => schedules.resume(name) })}
        />
      )}
      {mayChange && !paused && (
        <IconButton
          label={`Pause ${name}`}
          icon="pause"
          small
          onClick={() => act({ text: `Paused ${name}`, call: () => schedules.pause(name) })}
        />
      )}
      {mayChange && <IconButton label={`Delete ${name}`} icon="trash" small onClick={() => void remove()} />}
    </span>
  )
}

const columns: readonly Column<ScheduleRow>[] = [
  {
    key: 'name',
    header: 'Name',
    width: 'minmax(7rem, 1.5fr)',
    cell: ({ name, paused }) => (
      <Badge mark={paused ? 'canceled' : 'ok'} text={paused ? `${name} (paused)` : name} />
    ),
  },
  {
    key: 'cron',
    header: 'Times',
    width: 'minmax(6rem, 1fr)',
    from: 400,
    cell: ({ cron, timeZone }) => (
      <>
        <code>{cron}</code> <span className={styles.dim}>{timeZone}</span>
      </>
    ),
  },
  { key: 'type', header: 'Type', width: 'minmax(5rem, 1fr)', from: 640, cell: ({ task }) => task.type },
  { key: 'queue', header: 'Queue', width: 'minmax(5rem, 0.7fr)', from: 860, cell: ({ task }) => task.queue },
  {
    key: 'last',
    header: 'Last run',
    width: '7rem',
    align: 'end',
    from: 760,
    cell: ({ lastRunAt }) => (lastRunAt === null ? 'never' : <Ago at={lastRunAt} />),
  },
  {
    key: 'next',
    header: 'Next run',
    width: '9rem',
    align: 'end',
    from: 520,
    cell: ({ nextRuns: [next] }) => (next === undefined ? '–' : <Clock at={next} />),
  },
]
