import type { Status } from '../../../src/client/index.ts'
import { classNames } from './class-names.ts'
import styles from './status.module.css'

/** How a thing is: a shape, a color and a word, so that none of the three is needed. */
export function StatusBadge({ status }: { status: Status }) {
  return <Badge mark={status} text={status} />
}

export type Mark = Status | 'ok' | 'warn'

export function Badge({ mark, text }: { mark: Mark; text: string }) {
  return (
    <span className={styles.status}>
      <StatusMark mark={mark} />
      {text}
    </span>
  )
}

export function StatusMark({ mark }: { mark: Mark }) {
  return (
    <svg
      aria-hidden="true"
      className={classNames(styles.mark, styles[mark])}
      width="14"
      height="14"
      viewBox="0 0 14 14"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      {shapeOf[mark]}
    </svg>
  )
}

const tick = (
  <>
    <circle cx="7" cy="7" r="6" fill="currentColor" stroke="none" />
    <path d="M4.3 7.2 6.2 9 9.7 5.2" stroke="var(--bg)" />
  </>
)

const shapeOf = {
  completed: tick,
  ok: tick,
  failed: (
    <>
      <path d="M4.6 1h4.800L13 4.600v4.800L9.4 13H4.600L1 9.400V4.600z" fill="currentColor" stroke="none" />
      <path d="M5 5l4 4M9 5 5 9" stroke="var(--bg)" />
    </>
  ),
  processing: (
    <>
      <circle cx="7" cy="7" r="5.2" />
      <path d="M7 7V3.800A3.2 3.2 0 0 1 7 10.200z" fill="currentColor" stroke="none" />
    </>
  ),
  pending: <circle cx="7" cy="7" r="5.2" />,
  scheduled: (
    <>
      <circle cx="7" cy="7" r="5.2" strokeDasharray="1.8 2.28" />
      <path d="M7 4.600V7l1.5 1" strokeWidth="1.3" />
    </>
  ),
  canceled: (
    <>
      <circle cx="7" cy="7" r="5.2" />
      <path d="M3.5 10.500l7-7" />
    </>
  ),
  warn: (
    <>
      <path d="M7 1 13.5 12.500H.5z" fill="currentColor" stroke="none" />
      <path d="M7 5.500v3M7 10.500h.01" stroke="var(--bg)" strokeWidth="1.4" />
    </>
  ),
} satisfies Record<Mark, React.ReactNode>
