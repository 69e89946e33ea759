import { useMutation, useQueryClient } from '@tanstack/react-query'
import { api } from '../api/client.ts'
import { useMay } from '../api/who.ts'
import { Button } from './button.tsx'
import { toast, toastFailure } from './toast.tsx'

const exampleCount = 1_000

/** Submits a thousand of the example task, as one batch. */
export function ExamplesButton() {
  const maySubmit = useMay('submit')
  const queries = useQueryClient()
  const submit = useMutation({
    mutationFn: () =>
      api().submitBatch(Array.from({ length: exampleCount }, (_, i) => ({ payload: `example ${i + 1}` }))),
    onSuccess: () => {
      toast('Submitted 1,000 example tasks')
      return queries.invalidateQueries()
    },
    onError: (error) => toastFailure('Submitting the example tasks', error),
  })
  if (!maySubmit) return null
  return (
    <Button look="primary" icon="bolt" disabled={submit.isPending} onClick={() => submit.mutate()}>
      Submit 1,000 example tasks
    </Button>
  )
}
