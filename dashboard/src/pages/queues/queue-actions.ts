import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { Queue } from '../../../../src/client/index.ts'
import { api } from '../../api/client.ts'
import { toast, toastFailure } from '../../ui/toast.tsx'

/** Pausing a queue, and letting it go on. */
export function useQueueActions() {
  const queries = useQueryClient()
  const { mutate: toggle } = useMutation({
    mutationFn: ({ name, paused }: Pick<Queue, 'name' | 'paused'>) =>
      paused ? api().resumeQueue(name) : api().pauseQueue(name),
    onSuccess: ({ name, paused }) => {
      toast(paused ? `Paused ${name}: nothing of it starts until it is resumed` : `Resumed ${name}`)
      return queries.invalidateQueries({ queryKey: ['queues'] })
    },
    onError: (error, { name, paused }) => toastFailure(`${paused ? 'Resuming' : 'Pausing'} ${name}`, error),
  })
  return { toggle }
}
