import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { Stats } from '../../../../src/client/index.ts'
import { plural } from '../../ui/format.ts'
import { StatusMark } from '../../ui/status.tsx'
import styles from './overview.module.css'

/** What keeps tasks from running, in sentences. Nothing where nothing does. */
export function Warnings({ stats }: { stats: Stats }) {
  const waiting = stats.counts.pending + stats.counts.scheduled
  const unworked = stats.queues.filter(({ workers, counts }) => workers === 0 && counts.pending > 0)
  const hasWorkers = stats.queues.some(({ workers }) => workers > 0)
  if (!hasWorkers && waiting > 0)
    return (
      <ul className={styles.warnings}>
        <Warning>
          No worker lives, and {plural(waiting, 'task')} {waiting === 1 ? 'waits' : 'wait'}.{' '}
          <Link to="/workers">How to start one</Link>
        </Warning>
      </ul>
    )
  if (unworked.length + stats.unserved.length === 0) return null
  return (
    <ul className={styles.warnings}>
      {unworked.map(({ queue, counts }) => (
        <Warning key={`queue ${queue}`}>
          No live worker takes from the queue <b>{queue}</b>, in which{' '}
          <Link to="/tasks" search={{ queue, status: 'pending' }}>
            {plural(counts.pending, 'task')} {counts.pending === 1 ? 'waits' : 'wait'}
          </Link>
          .
        </Warning>
      ))}
      {stats.unserved.map((type) => (
        <Warning key={`type ${type}`}>
          No live worker has a handler for the type <b>{type}</b>.{' '}
          <Link to="/tasks" search={{ type, status: 'pending,scheduled,processing' }}>
            Its tasks
          </Link>{' '}
          wait until one comes.
        </Warning>
      ))}
    </ul>
  )
}

function Warning({ children }: { children: ReactNode }) {
  return (
    <li className={styles.warning}>
      <StatusMark mark="warn" />
      <span>{children}</span>
    </li>
  )
}
