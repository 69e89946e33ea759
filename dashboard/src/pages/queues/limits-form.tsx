import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { Queue, QueueLimits } from '../../../../src/client/index.ts'
import { api } from '../../api/client.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog, DialogActions } from '../../ui/dialog.tsx'
import { TextField } from '../../ui/field.tsx'
import { toast } from '../../ui/toast.tsx'
import styles from './queues.module.css'

type Draft = Record<keyof QueueLimits, string>

/** The limits of a queue and of each key in it; an empty field is none. */
export function LimitsForm({ queue, onClose }: { queue: Queue; onClose: () => void }) {
  const [draft, setDraft] = useState(draftOf(queue))
  const save = useSave(queue.name, onClose)
  const field = (name: keyof QueueLimits, label: string) => (
    <TextField
      label={label}
      inputMode="decimal"
      placeholder="no limit"
      value={draft[name]}
      onChange={({ target }) => setDraft({ ...draft, [name]: target.value })}
    />
  )
  return (
    <Dialog open onClose={onClose} title={`Limits of “${queue.name}”`}>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault()
          save.mutate(draft)
        }}
      >
        <fieldset className={styles.pair}>
          <legend>Of the queue, over all workers</legend>
          {field('concurrency', 'Run at once')}
          {field('ratePerSecond', 'Start in a second')}
        </fieldset>
        <fieldset className={styles.pair}>
          <legend>Of each key in it</legend>
          {field('keyConcurrency', 'Run at once')}
          {field('keyRatePerSecond', 'Start in a second')}
        </fieldset>
        {save.error && <p role="alert">{save.error.message}</p>}
        <DialogActions>
          <Button onClick={onClose}>Close</Button>
          <Button type="submit" look="primary" disabled={save.isPending}>
            Save
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

function draftOf({ concurrency, ratePerSecond, keyConcurrency, keyRatePerSecond }: QueueLimits): Draft {
  const text = (limit: number | null) => (limit === null ? '' : String(limit))
  return {
    concurrency: text(concurrency),
    ratePerSecond: text(ratePerSecond),
    keyConcurrency: text(keyConcurrency),
    keyRatePerSecond: text(keyRatePerSecond),
  }
}

function useSave(name: string, onSaved: () => void) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (draft: Draft) => {
      const limits = Object.entries(draft).map(([key, text]) => [key, limitIn(text)])
      return api().limitQueue(name, Object.fromEntries(limits))
    },
    onSuccess: () => {
      toast(`Changed the limits of ${name}`)
      onSaved()
      return queries.invalidateQueries({ queryKey: ['queues'] })
    },
  })
}

function limitIn(text: string): number | null {
  if (text.trim() === '') return null
  const limit = Number(text)
  if (!Number.isFinite(limit)) throw new Error(`“${text}” is no number`)
  return limit
}
