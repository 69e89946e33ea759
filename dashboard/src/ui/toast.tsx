import { useSyncExternalStore } from 'react'
import { IconButton } from './button.tsx'
import { StatusMark } from './status.tsx'
import styles from './toast.module.css'

export type ToastOptions = { tone?: 'ok' | 'bad'; detail?: string }

type Toast = { id: number; text: string } & ToastOptions

const shownMs = 6_000
let toasts: readonly Toast[] = []
let lastId = 0
const listeners = new Set<() => void>()

/** Says for some seconds what has happened; what went wrong stays until it is closed. */
export function toast(text: string, options: ToastOptions = {}): void {
  const id = ++lastId
  set([...toasts.slice(-3), { id, text, ...options }])
  if (options.tone !== 'bad') setTimeout(() => dismiss(id), shownMs)
}

/** Tells that `doing` did not work. */
export function toastFailure(doing: string, error: unknown): void {
  toast(`${doing} did not work`, {
    tone: 'bad',
    detail: error instanceof Error ? error.message : String(error),
  })
}

function dismiss(id: number): void {
  set(toasts.filter((one) => one.id !== id))
}

function set(next: readonly Toast[]): void {
  toasts = next
  for (const listener of listeners) listener()
}

export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => toasts,
  )
  return (
    <section aria-label="Notices" aria-live="polite" className={styles.toasts}>
      {shown.map(({ id, text, tone = 'ok', detail }) => (
        <div key={id} className={styles.toast}>
          <StatusMark mark={tone === 'bad' ? 'failed' : 'ok'} />
          <div className={styles.text}>
            <div>{text}</div>
            {detail && <div className={styles.detail}>{detail}</div>}
          </div>
          <IconButton label="Close" icon="close" small onClick={() => dismiss(id)} />
        </div>
      ))}
    </section>
  )
}
