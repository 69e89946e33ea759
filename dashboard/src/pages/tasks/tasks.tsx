import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback, useLayoutEffect, useRef, useState } from 'react'
import type { TaskSummary } from '../../../../src/client/index.ts'
import { useMay } from '../../api/who.ts'
import { useStats } from '../../live/live.ts'
import { Button, buttonClass } from '../../ui/button.tsx'
import { useHotkeys } from '../../ui/hotkeys.ts'
import { Page } from '../../ui/page.tsx'
import { Table } from '../../ui/table.tsx'
import { ListFailure, NoTasks } from './edges.tsx'
import { type Filter, statuses } from './filter/fields.ts'
import { filterIn } from './filter/tokens.ts'
import { FilterBox } from './filter-box.tsx'
import { Jump } from './jump.tsx'
import { ListState, WaitingRows } from './list-state.tsx'
import { useSelection } from './selection.ts'
import { SelectionBar } from './selection-bar.tsx'
import { taskColumns } from './task-columns.tsx'
import styles from './tasks.module.css'
import { useRows } from './use-rows.ts'
import { Views } from './views.tsx'

export default function Tasks() {
  const search: Record<string, string | undefined> = useSearch({ strict: false })
  const navigate = useNavigate()
  const filter = filterIn(search)
  const { at } = search
  const maySubmit = useMay('submit')
  const [isPaused, setPaused] = useState(false)
  const list = useRef<HTMLDivElement>(null)
  const toList = () => list.current?.querySelector<HTMLElement>('[role=row][tabindex="0"]')?.focus()
  const go = (next: Filter, where?: string) =>
    void navigate({
      to: '/tasks',
      search: { ...next, ...(where && { at: where }) } as Record<string, string>,
    })
  const pause = () => setPaused(!isPaused)
  useHotkeys([
    { keys: 'p', label: 'Pause or go on', group: 'Tasks', run: pause },
    { keys: 'j', label: 'To the list', group: 'Tasks', run: toList },
    { keys: 'ArrowDown', label: 'To the list', group: 'Tasks', run: toList },
    { keys: 'n', label: 'New task', group: 'Tasks', run: () => void navigate({ to: '/tasks/new' }) },
  ])
  return (
    <Page
      title="Tasks"
      actions={
        maySubmit && (
          <Link to="/tasks/new" className={buttonClass('primary')}>
            New task
          </Link>
        )
      }
    >
      <div className={styles.head}>
        <div className={styles.tools}>
          <FilterBox filter={filter} apply={(next) => go(next, at)} leave={toList} />
          <Jump at={at} go={(where) => go(filter, where)} />
          <Button icon={isPaused ? 'play' : 'pause'} aria-pressed={isPaused} onClick={pause}>
            {isPaused ? 'Go on' : 'Pause'}
          </Button>
        </div>
        <Views filter={filter} />
      </div>
      <div ref={list} style={{ display: 'contents' }}>
        <List filter={filter} at={at} isPaused={isPaused} follow={() => go(filter)} />
      </div>
    </Page>
  )
}

type ListProps = { filter: Filter; at: string | undefined; isPaused: boolean; follow: () => void }

function List({ filter, at, isPaused, follow }: ListProps) {
  const navigate = useNavigate()
  const rows = useRows({ filter, at, isPaused })
  const shown = rows.window?.rows ?? []
  const selection = useSelection(
    JSON.stringify([filter, at]),
    shown.map(({ id }) => id),
  )
  const isOther = useIsOther(filter)
  useSteady(shown)
  const total = useTotal(filter)
  const latest = useRef(rows)
  latest.current = rows
  const onRange = useCallback((from: number, to: number) => {
    const { window, see, showOlder, error } = latest.current
    see(from, to)
    if (window && to >= window.rows.length - 20 && window.older !== null && !error) showOlder()
  }, [])
  if (!rows.window) return <ListFailure error={rows.error} retry={rows.retry} />
  const { window } = rows
  const columns = taskColumns({ selection, isGone: (id) => window.gone.has(id), isOther })
  return (
    <>
      {rows.error && <ListFailure error={rows.error} retry={rows.retry} />}
      <ListState rows={rows} at={at} isPaused={isPaused} follow={follow} total={total} />
      <WaitingRows window={window} show={() => showWaiting(rows.showWaiting)} />
      {shown.length === 0 ? (
        <NoTasks filter={filter} at={at} older={window.older} look={rows.showOlder} />
      ) : (
        <Table
          label="Tasks"
          rows={shown}
          columns={columns}
          rowKey={({ id }) => id}
          onOpen={({ id }) => void navigate({ to: '/tasks/$id', params: { id } })}
          onRowKey={({ id }, event) => {
            if (event.key === 'x') selection.toggle(id, false)
            else if (event.key === 'X') selection.toggle(id, true)
            else if (event.key === 'Escape') selection.clear()
            else return
            event.preventDefault()
          }}
          isSelected={({ id }) => selection.has(id)}
          onRange={onRange}
        />
      )}
      {shown.length > 0 && (
        <ListEnd older={window.older} isReading={rows.isReading === 'older'} more={rows.showOlder} />
      )}
      <SelectionBar filter={filter} selection={selection} rows={shown} />
    </>
  )
}

function showWaiting(show: () => void): void {
  show()
  scrollTo({ top: 0 })
}

function ListEnd({ older, isReading, more }: { older: string | null; isReading: boolean; more: () => void }) {
  if (older === null) return <p className={styles.end}>That is all.</p>
  return (
    <Button className={styles.more} disabled={isReading} onClick={more}>
      {isReading ? 'Reading…' : 'Show older ones'}
    </Button>
  )
}

/** Whether a row that has changed is no longer what was asked for. It stays where it is. */
function useIsOther({ status }: Filter): (task: TaskSummary) => boolean {
  const wanted = status?.split(',')
  return (task) => wanted !== undefined && !wanted.includes(task.status)
}

/** How many there are, where that is known without counting. */
function useTotal(filter: Filter): number | undefined {
  const stats = useStats()
  const { status, ...rest } = filter
  if (!stats || Object.keys(rest).length > 0) return undefined
  const wanted = status?.split(',') ?? statuses
  return statuses.reduce((sum, one) => sum + (wanted.includes(one) ? stats.counts[one] : 0), 0)
}

const rowHeightPx = 40

/** What somebody looks at stays where it is when rows come in above it. */
function useSteady(rows: readonly TaskSummary[]): void {
  const first = useRef(rows[0]?.id)
  useLayoutEffect(() => {
    const added = rows.findIndex(({ id }) => id === first.current)
    if (added > 0 && scrollY > 0) scrollBy({ top: added * rowHeightPx, behavior: 'instant' })
    first.current = rows[0]?.id
  }, [rows])
}
