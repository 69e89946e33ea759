import type { SystemState } from '../../../../src/client/index.ts'
import { StatusMark } from '../../ui/status.tsx'
import styles from './system.module.css'

const marks = { ok: 'ok', warn: 'warn', fail: 'failed' } as const
const words = { ok: 'all is well', warn: 'worth a look', fail: 'not well' } as const

/** What was looked at, and what to do where it is not well. */
export function Checks({ checks }: Pick<SystemState, 'checks'>) {
  if (checks.length === 0) return <p className={styles.aside}>They run for the first time at this moment.</p>
  return (
    <ul className={styles.checks}>
      {checks.map(({ check, state, detail, advice }) => (
        <li key={check}>
          <span role="img" aria-label={words[state]}>
            <StatusMark mark={marks[state]} />
          </span>
          <b>{check}</b>
          <span>
            {detail}
            {advice && <span className={styles.advice}>{advice}</span>}
          </span>
        </li>
      ))}
    </ul>
  )
}
