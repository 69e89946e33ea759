import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { api } from '../../api/client.ts'
import { useMay, useWho } from '../../api/who.ts'
import { Button, buttonClass } from '../../ui/button.tsx'
import { copy } from '../../ui/code-block.tsx'
import { confirm } from '../../ui/confirm.tsx'
import { useHotkeys } from '../../ui/hotkeys.ts'
import { toast, toastFailure } from '../../ui/toast.tsx'
import { curlText, submissionText } from './shell-text.ts'
import styles from './task.module.css'
import { isOver, type TaskTexts } from './use-task.ts'

/** What can be done with the task, each by a key too. */
export function TaskActions({ task, payloadText }: TaskTexts) {
  const { cancel, retry, isBusy } = useActs(task.id)
  const navigate = useNavigate()
  const [maySubmit, mayCancel] = [useMay('submit'), useMay('cancel')]
  const needsKey = useWho()?.authRequired ?? false
  const canRetry = mayCancel && (task.status === 'failed' || task.status === 'canceled')
  const canCancel = mayCancel && !isOver(task)
  const asCurl = () => void copy(curlText(location.origin, submissionText(task, payloadText), needsKey))
  const edit = () => void navigate({ to: '/tasks/new', search: { from: task.id } })
  useHotkeys([
    ...(canRetry ? [{ keys: 'r', label: 'Retry', group: 'Task', run: retry }] : []),
    ...(canCancel ? [{ keys: 'x', label: 'Cancel', group: 'Task', run: cancel }] : []),
    ...(maySubmit ? [{ keys: 'e', label: 'Edit and submit again', group: 'Task', run: edit }] : []),
    { keys: 'c', label: 'Copy as curl', group: 'Task', run: asCurl },
  ])
  return (
    <span className={styles.actions}>
      {canRetry && (
        <Button icon="retry" look="primary" disabled={isBusy} onClick={retry}>
          Retry
        </Button>
      )}
      {maySubmit && (
        <Link to="/tasks/new" search={{ from: task.id }} className={buttonClass()}>
          Edit and submit again
        </Link>
      )}
      <Button icon="copy" onClick={asCurl}>
        Copy as curl
      </Button>
      {canCancel && (
        <Button icon="close" disabled={isBusy} onClick={cancel}>
          Cancel
        </Button>
      )}
    </span>
  )
}

function useActs(id: string) {
  const queries = useQueryClient()
  const { mutate, isPending } = useMutation({
    mutationFn: (verb: 'cancel' | 'retry') => api()[verb](id),
    onSuccess: (_, verb) => toast(verb === 'cancel' ? 'Canceled' : 'Pending again, with fresh attempts'),
    onError: (error, verb) => toastFailure(verb === 'cancel' ? 'Canceling' : 'Retrying', error),
    onSettled: () => queries.invalidateQueries({ queryKey: ['task', id] }),
  })
  const cancel = async () => {
    const yes = await confirm({
      title: 'Cancel this task?',
      detail:
        'If it waits, it does not start; if it runs, its handler is told to stop, and its result is not kept.',
      action: 'Cancel it',
    })
    if (yes) mutate('cancel')
  }
  return { isBusy: isPending, cancel: () => void cancel(), retry: () => mutate('retry') }
}
