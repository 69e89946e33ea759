import { type FormEvent, useState } from 'react'
import { Button } from '../../ui/button.tsx'
import { Dialog, DialogActions } from '../../ui/dialog.tsx'
import { TextField } from '../../ui/field.tsx'
import { readInstant } from './filter/fields.ts'
import styles from './tasks.module.css'

const presets = [
  ['15 min ago', 15],
  ['1 h ago', 60],
  ['6 h ago', 360],
  ['1 d ago', 1_440],
  ['7 d ago', 10_080],
] as const

/** Begins the list at another time than now. */
export function Jump({ at, go }: { at: string | undefined; go: (at: string) => void }) {
  const [isOpen, setOpen] = useState(false)
  const jump = (where: string) => {
    setOpen(false)
    go(where)
  }
  return (
    <>
      <Button icon="schedules" onClick={() => setOpen(true)}>
        Jump to a time
      </Button>
      <Dialog open={isOpen} onClose={() => setOpen(false)} title="Jump to a time">
        <JumpForm at={at} jump={jump} />
      </Dialog>
    </>
  )
}

function JumpForm({ at, jump }: { at: string | undefined; jump: (at: string) => void }) {
  const [text, setText] = useState(localText(at))
  const [problem, setProblem] = useState<string>()
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const read = readInstant(text.trim())
    if ('rule' in read) setProblem(`The time ${read.rule}`)
    else jump(read.value)
  }
  return (
    <form onSubmit={submit} className={styles.form}>
      <div className={styles.presets}>
        {presets.map(([label, minutes]) => (
          <Button
            key={label}
            small
            onClick={() => jump(new Date(Date.now() - minutes * 60_000).toISOString())}
          >
            {label}
          </Button>
        ))}
      </div>
      <TextField
        label="Or by the clock here"
        type="datetime-local"
        step={1}
        value={text}
        onChange={({ target }) => setText(target.value)}
        problem={problem}
        hint="The list begins with what was created then, and goes both ways."
      />
      <DialogActions>
        <Button type="submit" look="primary">
          Jump
        </Button>
      </DialogActions>
    </form>
  )
}

/** As an input of a date and a time has it: by the reader's clock, without an offset. */
function localText(at: string | undefined): string {
  const date = at === undefined || Number.isNaN(Date.parse(at)) ? new Date() : new Date(at)
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19)
}
