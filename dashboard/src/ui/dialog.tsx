import { Dialog as Base } from '@base-ui/react/dialog'
import type { ReactNode } from 'react'
import { IconButton } from './button.tsx'
import { classNames } from './class-names.ts'
import styles from './dialog.module.css'
import hidden from './hidden.module.css'

type DialogProps = {
  open: boolean
  onClose: () => void
  title: string
  children: ReactNode
  wide?: boolean
  /** At the edge of the window, from top to bottom. */
  place?: 'middle' | 'side' | 'top'
  hideTitle?: boolean
}

/** What stands before the page until it is answered. Escape and the background close it; the focus returns. */
export function Dialog({ open, onClose, title, children, wide, place = 'middle', hideTitle }: DialogProps) {
  return (
    <Base.Root open={open} onOpenChange={(isOpen) => !isOpen && onClose()}>
      <Base.Portal>
        <Base.Backdrop className={styles.backdrop} />
        <Base.Popup className={classNames(styles.popup, styles[place], wide && styles.wide)}>
          <div className={hideTitle ? hidden.hidden : styles.head}>
            <Base.Title className={styles.title}>{title}</Base.Title>
            {!hideTitle && <IconButton label="Close" icon="close" small onClick={onClose} />}
          </div>
          {children}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  )
}

/** The buttons at the end of a dialog. */
export function DialogActions({ children }: { children: ReactNode }) {
  return <div className={styles.actions}>{children}</div>
}
