import { lazy, Suspense, useSyncExternalStore } from 'react'

export type Question = {
  title: string
  /** What will happen, and whether it can be undone. */
  detail: string
  /** The word on the button: what it does. */
  action: string
  /** How many things it touches. From a thousand on the number must be typed. */
  touches?: number
  danger?: boolean
}

export type Asked = Question & { answer: (yes: boolean) => void }

/** Loaded with the first question. */
const QuestionDialog = lazy(() => import('./question-dialog.tsx'))

let asked: Asked | undefined
const listeners = new Set<() => void>()

/** Asks before something is done; resolves with whether to do it. The more it touches, the more the answer takes. */
export function confirm(question: Question): Promise<boolean> {
  asked?.answer(false)
  return new Promise((resolve) => {
    set({
      ...question,
      answer: (yes) => {
        set(undefined)
        resolve(yes)
      },
    })
  })
}

function set(next: Asked | undefined): void {
  asked = next
  for (const listener of listeners) listener()
}

/** Where questions are shown; once in the page. */
export function ConfirmHost() {
  const question = useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => asked,
  )
  return <Suspense>{question && <QuestionDialog key={question.title} {...question} />}</Suspense>
}
