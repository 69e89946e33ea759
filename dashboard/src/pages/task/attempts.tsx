import type { PastAttempt, Task } from '../../../../src/client/index.ts'
import { duration } from '../../ui/format.ts'
import { Section } from '../../ui/page.tsx'
import { Badge } from '../../ui/status.tsx'
import { Clock } from '../../ui/time.tsx'
import { ErrorView } from './error-view.tsx'
import styles from './task.module.css'

/** The attempts that did not complete, the latest first. */
export function Attempts({ task: { attempts = [] } }: { task: Task }) {
  if (attempts.length === 0) return null
  return (
    <Section title="Attempts that failed">
      <ol className={styles.attempts}>
        {attempts.toReversed().map((past, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: numbers of attempts come again after a retry
          <li key={`${past.attempt} ${i}`}>
            <Attempt {...past} />
          </li>
        ))}
      </ol>
    </Section>
  )
}

function Attempt({ attempt, error, startedAt, finishedAt, workerId }: PastAttempt) {
  const ranMs = startedAt === null ? undefined : Math.max(0, Date.parse(finishedAt) - Date.parse(startedAt))
  return (
    <details>
      <summary className={styles.attempt}>
        <Badge mark="failed" text={`Attempt ${attempt}`} />
        <span className={styles.attemptError}>
          {error.name}: {error.message}
        </span>
        <span className={styles.attemptTime}>
          <Clock at={finishedAt} />
          {ranMs !== undefined && `, after ${duration(ranMs)}`}
        </span>
      </summary>
      <ErrorView error={error} />
      {workerId && (
        <p className={styles.quiet}>
          on worker <code>{workerId}</code>
        </p>
      )}
    </details>
  )
}
