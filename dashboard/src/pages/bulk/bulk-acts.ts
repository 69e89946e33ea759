import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { BulkAction } from '../../../../src/client/index.ts'
import { api } from '../../api/client.ts'
import { confirm } from '../../ui/confirm.tsx'
import { plural } from '../../ui/format.ts'
import { toastFailure } from '../../ui/toast.tsx'

export type BulkActs = { start: (action: BulkAction) => void; abort: (action: BulkAction) => void }

const verbs = { cancel: 'Cancel', retry: 'Retry', delete: 'Delete' } as const

const meanings = {
  cancel: 'What runs is stopped too. A canceled task can be retried.',
  retry: 'They are pending again, with fresh attempts.',
  delete: 'They are gone, with their results and errors. This cannot be undone.',
} as const

/** Starting what was counted, and stopping what runs. */
export function useBulkActs(): BulkActs {
  const queries = useQueryClient()
  const { mutate } = useMutation({
    mutationFn: ({ call }: { doing: string; call: () => Promise<unknown> }) => call(),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['bulk-actions'] }),
    onError: (error, { doing }) => toastFailure(doing, error),
  })
  const start = async ({ id, action, matched }: BulkAction) => {
    const what = `${verbs[action]} ${plural(matched, 'task')}`
    const question = { title: `${what}?`, detail: meanings[action], action: what, touches: matched }
    if (await confirm({ ...question, danger: action !== 'retry' }))
      mutate({ doing: what, call: () => api().bulkActions.start(id) })
  }
  const abort = ({ id }: BulkAction) =>
    mutate({ doing: 'Aborting it', call: () => api().bulkActions.abort(id) })
  return { start: (action) => void start(action), abort }
}
