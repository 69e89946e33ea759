import { type ReactNode, useEffect, useRef } from 'react'
import styles from './page.module.css'

type PageProps = {
  title: string
  /** What the heading shows where it is more than the title. */
  heading?: ReactNode
  lead?: ReactNode
  actions?: ReactNode
  children: ReactNode
}

let hasShownOne = false

/** A page: its name in the tab and the heading, which has the focus when somebody comes to it. */
export function Page({ title, heading, lead, actions, children }: PageProps) {
  const head = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${title} · Millrace`
  }, [title])
  useEffect(() => {
    // Who follows a link hears and sees where it led; who has just opened the page begins at its top.
    if (hasShownOne) head.current?.focus({ preventScroll: true })
    hasShownOne = true
  }, [])
  return (
    <div className={styles.page}>
      <header>
        <div className={styles.head}>
          <h1 ref={head} tabIndex={-1}>
            {heading ?? title}
          </h1>
          {actions && <div className={styles.actions}>{actions}</div>}
        </div>
        {lead && <p className={styles.lead}>{lead}</p>}
      </header>
      {children}
    </div>
  )
}

/** A part of a page under its own heading. */
export function Section({
  title,
  aside,
  children,
}: {
  title: string
  aside?: ReactNode
  children: ReactNode
}) {
  return (
    <section className={styles.section} aria-label={title}>
      <div className={styles.sectionHead}>
        <h2>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  )
}
