import type { Progress } from '../../../../src/client/index.ts'
import { count } from '../../ui/format.ts'
import { withoutTricks } from '../../ui/json/tree.ts'
import { ProgressBar } from '../../ui/progress.tsx'
import { Ago } from '../../ui/time.tsx'
import styles from './task.module.css'

/** How far the running attempt says it is. */
export function ProgressNow({ progress: { done, total, message, at } }: { progress: Progress }) {
  return (
    <div className={styles.progress}>
      <div className={styles.progressText}>
        <span>{message !== null && withoutTricks(message)}</span>
        <span>
          {count(done)}
          {total !== null && ` of ${count(total)}`} · <Ago at={at} />
        </span>
      </div>
      {total !== null && total > 0 && (
        <ProgressBar
          label="Progress"
          total={total}
          parts={[{ value: Math.min(done, total), tone: 'accent' }]}
        />
      )}
    </div>
  )
}
