import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { Batch } from '../../../../src/client/index.ts'
import { api } from '../../api/client.ts'
import { confirm } from '../../ui/confirm.tsx'
import { plural } from '../../ui/format.ts'
import { toast, toastFailure } from '../../ui/toast.tsx'

export type BatchActions = { cancel: (batch: Batch) => void; retry: (batch: Batch) => void }

/** Tasks of a batch that can still be canceled. */
export function unfinished({ counts }: Batch): number {
  return counts.scheduled + counts.pending + counts.processing
}

/** Canceling what is left of a batch, and running again what failed of it. */
export function useBatchActions(): BatchActions {
  const queries = useQueryClient()
  const { mutate } = useMutation({
    mutationFn: ({ call }: { doing: string; call: () => Promise<string> }) => call(),
    onSuccess: (said) => {
      toast(said)
      return queries.invalidateQueries({ queryKey: ['batches'] })
    },
    onError: (error, { doing }) => toastFailure(doing, error),
  })
  const cancel = async (batch: Batch) => {
    const touches = unfinished(batch)
    const yes = await confirm({
      title: `Cancel ${plural(touches, 'task')}?`,
      detail: 'All of the batch that is not final is canceled, what runs too. What has ended stays as it is.',
      action: `Cancel ${plural(touches, 'task')}`,
      touches,
    })
    if (!yes) return
    const call = async () => `Canceled ${plural(await api().batch(batch.id).cancel(), 'task')}`
    mutate({ doing: 'Canceling the batch', call })
  }
  const retry = async (batch: Batch) => {
    const { failed } = batch.counts
    const yes = await confirm({
      title: `Retry ${plural(failed, 'task')}?`,
      detail: 'All of the batch that has failed is pending again, with fresh attempts.',
      action: `Retry ${plural(failed, 'task')}`,
      danger: false,
    })
    if (!yes) return
    const call = async () => `Retried ${plural(await api().batch(batch.id).retry(), 'task')}`
    mutate({ doing: 'Retrying the batch', call })
  }
  return { cancel: (batch) => void cancel(batch), retry: (batch) => void retry(batch) }
}
