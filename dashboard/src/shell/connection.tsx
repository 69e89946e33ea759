import { type Connection, reconnect, useLive } from '../live/live.ts'
import { relative } from '../ui/format.ts'
import { useNow } from '../ui/use-now.ts'
import styles from './nav.module.css'

const words: Record<Connection, string> = {
  connecting: 'Connecting',
  live: 'Live',
  polling: 'Asking every 5 s',
  away: 'Reconnecting',
}

/** Whether what the page shows is what is. */
export function ConnectionState() {
  const { connection, heardAtMs } = useLive()
  const nowMs = useNow()
  const age = connection === 'away' && heardAtMs > 0 ? `, last heard ${relative(heardAtMs, nowMs)}` : ''
  return (
    <button
      type="button"
      className={`${styles.connection} ${styles[connection] ?? ''}`}
      onClick={reconnect}
      title="Connect again now"
    >
      <span className={styles.dot} aria-hidden="true" />
      <span role="status">{words[connection]}</span>
      {age}
    </button>
  )
}
