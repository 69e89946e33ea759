import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useEffect, useRef, useState } from 'react'
import type { BulkAction, BulkFilter } from '../../../../../src/client/index.ts'
import { api } from '../../../api/client.ts'
import { Button } from '../../../ui/button.tsx'
import { Dialog, DialogActions } from '../../../ui/dialog.tsx'
import { TextField } from '../../../ui/field.tsx'
import { count, duration, plural, rate } from '../../../ui/format.ts'
import { ProgressBar } from '../../../ui/progress.tsx'
import { QueryFailure } from '../../../ui/query-state.tsx'
import { toastFailure } from '../../../ui/toast.tsx'
import { effects, verbs } from '../../bulk/bulk-words.ts'
import styles from './bulk-dialog.module.css'

export type BulkWish = {
  action: BulkAction['action']
  filter: BulkFilter /** Which tasks, in words. */
  which: string
}

const done = { cancel: 'canceled', retry: 'pending again', delete: 'deleted' } as const
/** Why something is left as it was. */
const reasons = {
  cancel: 'had changed meanwhile',
  retry: 'had changed meanwhile',
  delete: 'were left: they had changed, or the rest of their batch is not finished',
} as const
/** From here on a click is too little for what destroys something. */
const typedFrom = 1_000
const everyMs = 400

/** Something that is done to many tasks: counted first, then asked for, then followed. What comes meanwhile is not touched. */
export function BulkDialog({ wish, onClose }: { wish: BulkWish | undefined; onClose: () => void }) {
  const title = wish && `${verbs[wish.action]} ${wish.which}`
  return (
    <Dialog open={wish !== undefined} onClose={onClose} title={title ?? ''}>
      {wish && <Steps wish={wish} close={onClose} />}
    </Dialog>
  )
}

function Steps({ wish, close }: { wish: BulkWish; close: () => void }) {
  const { action, error, act } = useBulkAction(wish)
  if (error) return <QueryFailure what="How many they are" error={error} retry={close} />
  if (action === undefined || action.status === 'counting')
    return (
      <p role="status" className={styles.body}>
        Counting… {action && action.matched > 0 && count(action.matched)}
      </p>
    )
  if (action.status === 'ready') return <Question action={action} start={() => act('start')} close={close} />
  return <Following action={action} abort={() => act('abort')} close={close} />
}

/** Creates it once, and reads it until it is over. Who leaves before it has started takes it back. */
function useBulkAction({ action: verb, filter }: BulkWish) {
  const queries = useQueryClient()
  const create = useMutation({ mutationFn: () => api().bulkActions.create(verb, filter) })
  const id = create.data?.id
  const isCreated = useRef(false)
  const latest = useRef<BulkAction>(undefined)
  const read = useQuery({
    queryKey: ['bulk-actions', id],
    queryFn: () => api().bulkActions.get(id!),
    enabled: id !== undefined,
    refetchInterval: ({ state }) => (isOver(state.data) ? false : everyMs),
  })
  latest.current = read.data ?? create.data
  // biome-ignore lint/correctness/useExhaustiveDependencies: once
  useEffect(() => {
    if (!isCreated.current) create.mutate()
    isCreated.current = true
    return () => {
      const left = latest.current
      if (left && (left.status === 'counting' || left.status === 'ready'))
        void api().bulkActions.abort(left.id)
    }
  }, [])
  const { mutate } = useMutation({
    mutationFn: (what: 'start' | 'abort') => api().bulkActions[what](id!),
    onSuccess: (action) => queries.setQueryData(['bulk-actions', id], action),
    onError: (error, what) => toastFailure(what === 'start' ? 'Starting' : 'Stopping', error),
  })
  return { action: latest.current, error: create.error, act: mutate }
}

function isOver(action: BulkAction | undefined): boolean {
  return action !== undefined && ['done', 'aborted', 'failed'].includes(action.status)
}

function Question({ action, start, close }: { action: BulkAction; start: () => void; close: () => void }) {
  const [typed, type] = useState('')
  const { matched } = action
  const isDanger = action.action !== 'retry'
  const mustType = isDanger && matched >= typedFrom
  const isReady = matched > 0 && (!mustType || typed.replaceAll(/\D/g, '') === String(matched))
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (isReady) start()
  }
  return (
    <form onSubmit={submit} className={styles.body}>
      <p role="status" className={styles.count}>
        {matched === 0 ? 'There is none to which that can be done.' : plural(matched, 'task')}
      </p>
      {matched > 0 && <p>{effects[action.action]} Tasks that come from now on are left alone.</p>}
      {mustType && (
        <TextField
          label={`Type ${count(matched)} to go on`}
          inputMode="numeric"
          value={typed}
          onChange={({ target }) => type(target.value)}
        />
      )}
      <DialogActions>
        <Button onClick={close}>Leave them</Button>
        {matched > 0 && (
          <Button
            type="submit"
            look={isDanger ? 'danger' : 'primary'}
            disabled={!isReady}
            autoFocus={!mustType}
          >
            {verbs[action.action]} {plural(matched, 'task')}
          </Button>
        )}
      </DialogActions>
    </form>
  )
}

function Following({ action, abort, close }: { action: BulkAction; abort: () => void; close: () => void }) {
  const { status, matched, skipped, ratePerSecond, remainingMs, error } = action
  return (
    <div className={styles.body}>
      <ProgressBar
        label="Progress"
        total={matched}
        parts={[
          { value: action.done, tone: 'good' },
          { value: skipped, tone: 'muted' },
        ]}
      />
      <p role="status">{sentenceOf(action)}</p>
      {status === 'running' && (
        <p className={styles.quiet}>
          {ratePerSecond !== null && rate(ratePerSecond)}
          {remainingMs !== null && `, ${duration(remainingMs)} left`}. It goes on when this is closed.
        </p>
      )}
      {error !== null && <p>{error}</p>}
      <DialogActions>
        {status === 'running' && <Button onClick={abort}>Stop it</Button>}
        <Button look="primary" onClick={close} autoFocus>
          Close
        </Button>
      </DialogActions>
    </div>
  )
}

function sentenceOf({ action, status, done: n, matched, skipped }: BulkAction): string {
  const rest = skipped > 0 ? `, ${count(skipped)} ${reasons[action]}` : ''
  if (status === 'done') return `${plural(n, 'task')} ${n === 1 ? 'is' : 'are'} ${done[action]}${rest}.`
  if (status === 'aborted') return `Stopped after ${count(n)} of ${plural(matched, 'task')}.`
  if (status === 'failed') return `It failed after ${count(n)} of ${plural(matched, 'task')}.`
  return `${count(n)} of ${plural(matched, 'task')}${rest}`
}
