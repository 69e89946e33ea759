import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { BulkAction, BulkFilter } from '../../../../src/client/index.ts'
import { api } from '../../api/client.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog, DialogActions } from '../../ui/dialog.tsx'
import { Select, TextField } from '../../ui/field.tsx'
import styles from './bulk.module.css'

type Verb = BulkAction['action']

const verbs: readonly (readonly [Verb, string])[] = [
  ['retry', 'Retry'],
  ['cancel', 'Cancel'],
  ['delete', 'Delete'],
]

/** Says what is to be done, and to which tasks. It is counted, and starts when somebody has seen how many there are. */
export function BulkForm({ onClose }: { onClose: () => void }) {
  const [verb, setVerb] = useState<Verb>('retry')
  const [filter, setFilter] = useState('status:failed')
  const queries = useQueryClient()
  const create = useMutation({
    mutationFn: async () => api().bulkActions.create(verb, filterIn(filter)),
    onSuccess: () => {
      onClose()
      return queries.invalidateQueries({ queryKey: ['bulk-actions'] })
    },
  })
  return (
    <Dialog open onClose={onClose} title="New bulk action">
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault()
          create.mutate()
        }}
      >
        <Select
          label="Action"
          options={verbs}
          value={verb}
          onChange={({ target }) => setVerb(target.value as Verb)}
        />
        <TextField
          label="Tasks"
          required
          value={filter}
          onChange={({ target }) => setFilter(target.value)}
          hint="Such as status:failed type:email.* queue:mail age:<1h"
          problem={create.error?.message}
        />
        <DialogActions>
          <Button onClick={onClose}>Close</Button>
          <Button type="submit" look="primary" disabled={create.isPending}>
            Count them
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

/** `status:failed type:email.*` as the API takes it, which says what it does not know. Fails if a word has no name. */
function filterIn(text: string): BulkFilter {
  const words = text.split(/\s+/).filter(Boolean)
  return Object.fromEntries(
    words.map((word) => {
      const colon = word.indexOf(':')
      if (colon < 1) throw new Error(`“${word}” has no name before a colon, such as status:failed`)
      return [word.slice(0, colon), word.slice(colon + 1)]
    }),
  )
}
