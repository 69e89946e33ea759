import { useState } from 'react'
import { Button } from './button.tsx'
import type { Asked } from './confirm.tsx'
import styles from './dialog.module.css'
import { Dialog, DialogActions } from './dialog.tsx'
import { TextField } from './field.tsx'
import { count } from './format.ts'

/** From here on a click is too little. */
const typedFrom = 1_000

/** A question, and what it takes to answer it. */
export default function QuestionDialog({ title, detail, action, touches = 1, danger = true, answer }: Asked) {
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
