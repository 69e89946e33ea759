import { useState, useSyncExternalStore } from 'react'
import { Button } from './button.tsx'
import styles from './dialog.module.css'
import { Dialog, DialogActions } from './dialog.tsx'
import { TextField } from './field.tsx'
import { count } from './format.ts'

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

type Asked = Question & { answer: (yes: boolean) => void }

/** From here on a click is too little. */
const typedFrom = 1_000

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
  return question ? <QuestionDialog key={question.title} {...question} /> : null
}

function QuestionDialog({ title, detail, action, touches = 1, danger = true, answer }: Asked) {
  const [typed, type] = useState('')
  const mustType = danger && touches >= typedFrom
  const isReady = !mustType || typed.replaceAll(/\D/g, '') === String(touches)
  return (
    <Dialog open onClose={() => answer(false)} title={title}>
      <form
        className={styles.body}
        onSubmit={(event) => {
          event.preventDefault()
          if (isReady) answer(true)
        }}
      >
        <p>{detail}</p>
        {mustType && (
          <div className={styles.confirmField}>
            <TextField
              label={`Type ${count(touches)} to go on`}
              inputMode="numeric"
              value={typed}
              onChange={({ target }) => type(target.value)}
            />
          </div>
        )}
        <DialogActions>
          <Button onClick={() => answer(false)}>Leave it</Button>
          <Button type="submit" look={danger ? 'danger' : 'primary'} disabled={!isReady}>
            {action}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
