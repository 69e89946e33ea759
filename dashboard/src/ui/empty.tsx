import { type ReactNode, useState } from 'react'
import { buttonClass } from './button.tsx'
import { classNames } from './class-names.ts'
import { CodeBlock } from './code-block.tsx'
import styles from './empty.module.css'

export type Lesson = { name: string; code: string }

/** Where there is nothing yet: what would be here, and how it comes. */
export function Empty({
  title,
  children,
  lessons = [],
  actions,
}: {
  title: string
  children: ReactNode
  lessons?: readonly Lesson[]
  actions?: ReactNode
}) {
  return (
    <div className={styles.empty}>
      <h2>{title}</h2>
      <p>{children}</p>
      {lessons.length > 0 && <Lessons lessons={lessons} />}
      {actions}
    </div>
  )
}

function Lessons({ lessons }: { lessons: readonly Lesson[] }) {
  const [chosen, choose] = useState(0)
  const lesson = lessons[chosen] ?? lessons[0]!
  const move = (key: string) => {
    const step = key === 'ArrowRight' ? 1 : key === 'ArrowLeft' ? -1 : 0
    choose((chosen + step + lessons.length) % lessons.length)
  }
  return (
    <>
      <div
        role="tablist"
        aria-label="Ways to do it"
        className={styles.tabs}
        onKeyDown={({ key }) => move(key)}
      >
        {lessons.map(({ name }, i) => (
          <button
            key={name}
            type="button"
            role="tab"
            aria-selected={i === chosen}
            tabIndex={i === chosen ? 0 : -1}
            ref={(tab) => {
              if (i === chosen && tab?.parentElement?.contains(document.activeElement)) tab.focus()
            }}
            className={classNames(buttonClass('quiet', true), styles.tab)}
            onClick={() => choose(i)}
          >
            {name}
          </button>
        ))}
      </div>
      <CodeBlock code={lesson.code} label={lesson.name} />
    </>
  )
}
