import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { BulkAction } from '../../../../src/client/index.ts'
import { api } from '../../api/client.ts'
import { confirm } from '../../ui/confirm.tsx'
import { plural } from '../../ui/format.ts'
import { toastFailure } from '../../ui/toast.tsx'
import { effects, verbs } from './bulk-words.ts'

export type BulkActs = { start: (action: BulkAction) => void; abort: (action: BulkAction) => void }

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
    const question = { title: `${what}?`, detail: effects[action], action: what, touches: matched }
    if (await confirm({ ...question, danger: action !== 'retry' }))
      mutate({ doing: what, call: () => api().bulkActions.start(id) })
  }
  const abort = ({ id }: BulkAction) =>
    mutate({ doing: 'Aborting it', call: () => api().bulkActions.abort(id) })
  return { start: (action) => void start(action), abort }
}
