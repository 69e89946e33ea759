import { Button } from '../../ui/button.tsx'
import { count, plural, timeOfDay } from '../../ui/format.ts'
import type { RowWindow } from './row-window.ts'
import styles from './tasks.module.css'
import type { Rows } from './use-rows.ts'

type ListStateProps = {
  rows: Rows
  at: string | undefined
  isPaused: boolean
  follow: () => void
  total: number | undefined
}

/** Which part of the tasks is shown, and whether it follows what happens. */
export function ListState({
  rows: { window, isReading, showNewer },
  at,
  isPaused,
  follow,
  total,
}: ListStateProps) {
  if (!window) return null
  const n = window.rows.length
  return (
    <div className={styles.place}>
      <span>
        {at === undefined ? 'Newest first' : `From ${timeOfDay(at)} on, backwards`}
        {n > 0 && ` · ${count(n)} shown`}
        {total !== undefined && n > 0 && total > n && ` of ${count(total)}`}
        {isPaused && ' · paused'}
      </span>
      {at !== undefined && window.newer !== null && (
        <Button small disabled={isReading !== undefined} onClick={showNewer}>
          Show newer ones
        </Button>
      )}
      {at !== undefined && (
        <Button small look="quiet" onClick={follow}>
          Back to the newest
        </Button>
      )}
    </div>
  )
}

/** New rows wait for a click, so that none moves under the pointer. */
export function WaitingRows({ window, show }: { window: RowWindow; show: () => void }) {
  const { waiting, hasMoreWaiting } = window
  return (
    <div className={styles.waiting} role="status">
      {waiting > 0 && (
        <Button small look="primary" onClick={show} aria-label={`Show ${plural(waiting, 'new task')}`}>
          ▲ {count(waiting)}
          {hasMoreWaiting && '+'} new
        </Button>
      )}
    </div>
  )
}
