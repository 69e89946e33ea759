import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type ChangeEvent, type FormEvent, type KeyboardEvent, useId, useState } from 'react'
import { api } from '../../api/client.ts'
import { useMay, useWho } from '../../api/who.ts'
import { useStats } from '../../live/live.ts'
import { Button } from '../../ui/button.tsx'
import { copy } from '../../ui/code-block.tsx'
import { Select, TextArea, TextField } from '../../ui/field.tsx'
import { plural } from '../../ui/format.ts'
import { jsonFault } from '../../ui/json/fault.ts'
import { indented } from '../../ui/json/tree.ts'
import { toast, toastFailure } from '../../ui/toast.tsx'
import { curlText } from '../task/shell-text.ts'
import {
  batchText,
  type Draft,
  type DraftField,
  type Faults,
  faultsOf,
  refusalsIn,
  submissionText,
} from './draft.ts'
import { remember, remembered } from './memory.ts'
import styles from './new-task.module.css'

/** The fields of a submission. What was submitted last is there again the next time. */
export function TaskForm({ start }: { start: Draft }) {
  const form = useForm(start)
  const { draft, submit, isBusy } = form
  const n = Number(draft.copies)
  const maySubmit = useMay('submit')
  const needsKey = useWho()?.authRequired ?? false
  return (
    <form
      className={styles.form}
      noValidate
      onSubmit={(event) => submit(event)}
      onKeyDown={(event: KeyboardEvent) => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) submit(event)
      }}
    >
      <div className={styles.pair}>
        <TypeField {...form} />
        <QueueField {...form} />
      </div>
      <PayloadField {...form} />
      <Advanced {...form} />
      <div className={styles.actions}>
        <Button type="submit" look="primary" disabled={isBusy || !maySubmit}>
          {n > 1 ? `Submit ${plural(n, 'task')}` : 'Submit'}
        </Button>
        <Button
          icon="copy"
          onClick={() => {
            if (form.check()) void copy(curlText(location.origin, submissionText(draft), needsKey))
          }}
        >
          Copy as curl
        </Button>
        <span className={styles.hint}>
          {maySubmit ? (
            <>
              <kbd>Ctrl Enter</kbd> submits
            </>
          ) : (
            'The key you have signed in with may not submit.'
          )}
        </span>
      </div>
    </form>
  )
}

type FormParts = ReturnType<typeof useForm>

function useForm(start: Draft) {
  const [draft, setDraft] = useState(start)
  const [faults, setFaults] = useState<Faults>({})
  const navigate = useNavigate()
  const { mutate, isPending } = useMutation({
    mutationFn: store,
    onSuccess: (stored, submitted) => {
      remember(submitted)
      toast(`Submitted ${plural(stored.count, 'task')}`)
      void ('id' in stored
        ? navigate({ to: '/tasks/$id', params: { id: stored.id } })
        : navigate({ to: '/tasks', search: { batchId: stored.batchId } }))
    },
    onError: (error) => {
      const refused = refusalsIn(error)
      setFaults(refused)
      if (Object.keys(refused).length === 0) toastFailure('Submitting', error)
    },
  })
  const check = () => {
    const found = faultsOf(draft)
    setFaults(found)
    return Object.keys(found).length === 0
  }
  return {
    draft,
    isBusy: isPending,
    check,
    set: (change: Partial<Draft>) => {
      setDraft({ ...draft, ...change })
      setFaults(without(faults, Object.keys(change)))
    },
    /** The attributes of the input of a field. */
    field: (name: DraftField) => ({
      value: draft[name],
      problem: faults[name],
      onChange: ({ target }: ChangeEvent<HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement>) => {
        setDraft({ ...draft, [name]: target.value })
        setFaults(without(faults, [name]))
      },
    }),
    submit: (event: FormEvent | KeyboardEvent) => {
      event.preventDefault()
      if (!isPending && check()) mutate(draft)
    },
  }
}

function without(faults: Faults, names: readonly string[]): Faults {
  return Object.fromEntries(Object.entries(faults).filter(([name]) => !names.includes(name)))
}

type Stored = { count: number; id: string } | { count: number; batchId: string }

/** Not repeated by itself after a broken connection: without a key nobody knows whether it was stored. */
async function store(draft: Draft): Promise<Stored> {
  const isBatch = Number(draft.copies) > 1
  const { text } = await api().request({
    method: 'POST',
    path: isBatch ? '/tasks/batch' : '/tasks',
    body: isBatch ? batchText(draft) : submissionText(draft),
    repeatable: draft.idempotencyKey !== '',
  })
  const { id, batchId, count } = JSON.parse(text)
  return isBatch ? { batchId, count } : { id, count: 1 }
}

function TypeField({ field, set, draft }: FormParts) {
  const list = useId()
  const types = useStats()?.types ?? []
  const unserved = types.find(({ type, served }) => type === draft.type && !served)
  const choose = (type: string) => {
    const { payloads } = remembered()
    const isTouched = draft.payload !== (payloads[draft.type] ?? '"hello"')
    const known = payloads[type]
    set({ type, ...(known !== undefined && !isTouched ? { payload: known } : {}) })
  }
  return (
    <>
      <TextField
        label="Type"
        list={list}
        {...field('type')}
        onChange={({ target }) => choose(target.value)}
        hint={unserved ? 'No live worker handles this type now.' : 'Chooses the handler.'}
      />
      <datalist id={list}>
        {types.map(({ type }) => (
          <option key={type} value={type} />
        ))}
      </datalist>
    </>
  )
}

function QueueField({ field }: FormParts) {
  const list = useId()
  const queues = useStats()?.queues ?? []
  return (
    <>
      <TextField label="Queue" list={list} {...field('queue')} hint="Where it waits." />
      <datalist id={list}>
        {queues.map(({ queue }) => (
          <option key={queue} value={queue} />
        ))}
      </datalist>
    </>
  )
}

function PayloadField({ field, draft, set }: FormParts) {
  const fault = jsonFault(draft.payload)
  const { problem, ...rest } = field('payload')
  // A text that has not begun to look like JSON is probably meant as a text.
  const isText = fault !== undefined && draft.payload.trim() !== '' && !/^\s*[[{"\-\d]/.test(draft.payload)
  return (
    <div className={styles.payload}>
      <TextArea
        label="Payload"
        rows={10}
        {...rest}
        problem={problem}
        hint={
          fault
            ? `Line ${fault.line}, column ${fault.column}: ${fault.detail}`
            : 'JSON; numbers are kept as you write them.'
        }
      />
      <div className={styles.tools}>
        {isText && (
          <Button small onClick={() => set({ payload: JSON.stringify(draft.payload) })}>
            Use it as a text
          </Button>
        )}
        <Button
          small
          look="quiet"
          disabled={fault !== undefined}
          onClick={() => set({ payload: indented(draft.payload) })}
        >
          Indent
        </Button>
      </div>
    </div>
  )
}

const priorities = [
  ['low', 'low'],
  ['normal', 'normal'],
  ['high', 'high'],
] as const

function Advanced({ field, draft }: FormParts) {
  const isUsed = [
    'key',
    'delaySeconds',
    'maxAttempts',
    'timeoutSeconds',
    'idempotencyKey',
    'callbackUrl',
  ].some((name) => draft[name as DraftField] !== '')
  const [isOpen] = useState(isUsed || draft.priority !== 'normal' || draft.copies !== '1')
  return (
    <details className={styles.advanced} open={isOpen}>
      <summary>More</summary>
      <div className={styles.grid}>
        <Select label="Priority" options={priorities} {...field('priority')} />
        <TextField
          label="Delay, in seconds"
          inputMode="decimal"
          {...field('delaySeconds')}
          hint="Not before then."
        />
        <TextField
          label="Attempts"
          inputMode="numeric"
          {...field('maxAttempts')}
          hint="How often it may fail; 3 if nothing is said."
        />
        <TextField
          label="Time limit, in seconds"
          inputMode="decimal"
          {...field('timeoutSeconds')}
          hint="Of one attempt."
        />
        <TextField
          label="Key"
          {...field('key')}
          hint="Whom it is for: keys take turns in a queue with limits."
        />
        <TextField
          label="Idempotency key"
          {...field('idempotencyKey')}
          hint="The same key with the same task is one task."
        />
        <TextField
          label="Callback URL"
          type="url"
          {...field('callbackUrl')}
          hint="Told when the task is final."
        />
        <TextField
          label="Copies"
          inputMode="numeric"
          {...field('copies')}
          hint="More than one are a batch."
        />
      </div>
    </details>
  )
}
