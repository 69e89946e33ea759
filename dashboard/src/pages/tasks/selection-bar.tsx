import { useState } from 'react'
import type { BulkAction, TaskSummary } from '../../../../src/client/index.ts'
import { useMay } from '../../api/who.ts'
import { Button } from '../../ui/button.tsx'
import { count, plural } from '../../ui/format.ts'
import { BulkDialog, type BulkWish } from './bulk/bulk-dialog.tsx'
import { bulkFilterOf, isPossible, statusesFor } from './bulk/bulk-filter.ts'
import type { Filter } from './filter/fields.ts'
import { textOf } from './filter/tokens.ts'
import type { Selection } from './selection.ts'
import styles from './tasks.module.css'

type Verb = BulkAction['action']

type SelectionBarProps = { filter: Filter; selection: Selection; rows: readonly TaskSummary[] }

/** What can be done with the rows that are selected, or with all tasks that the filter chooses. */
export function SelectionBar({ filter, selection, rows }: SelectionBarProps) {
  const [wish, setWish] = useState<BulkWish>()
  const mayAct = useMay('cancel')
  const mayDelete = useMay('admin')
  const clear = selection.clear
  if (!mayAct) return null
  const chosen = rows.filter(({ id }) => selection.has(id))
  const idsFor = (verb: Verb) =>
    chosen.filter(({ status }) => statusesFor[verb].includes(status)).map(({ id }) => id)
  const begin = (verb: Verb) => {
    if (selection.isAllThatMatch)
      setWish({
        action: verb,
        filter: bulkFilterOf(verb, filter),
        which: `all tasks like ${textOf(filter) || 'these'}`,
      })
    else setWish({ action: verb, filter: { ids: idsFor(verb) }, which: 'the selected tasks' })
  }
  const verbs = [
    ['retry', 'Retry', 'retry'],
    ['cancel', 'Cancel', 'close'],
    ['delete', 'Delete', 'trash'],
  ] as const
  return (
    <>
      {selection.count > 0 && (
        <section aria-label="Selected tasks" className={styles.bar}>
          <b role="status">
            {selection.isAllThatMatch ? 'All that match' : `${plural(selection.count, 'task')} selected`}
          </b>
          {selection.isWhole && !selection.isAllThatMatch && (
            <Button small look="quiet" onClick={selection.takeAllThatMatch}>
              Select all that match
            </Button>
          )}
          {verbs
            .filter(([verb]) => verb !== 'delete' || mayDelete)
            .map(([verb, word, icon]) => (
              <ActButton
                key={verb}
                {...{ word, icon }}
                n={
                  selection.isAllThatMatch ? (isPossible(verb, filter) ? undefined : 0) : idsFor(verb).length
                }
                run={() => begin(verb)}
              />
            ))}
          <Button small look="quiet" onClick={clear}>
            Clear
          </Button>
        </section>
      )}
      <BulkDialog
        wish={wish}
        onClose={() => {
          setWish(undefined)
          clear()
        }}
      />
    </>
  )
}

/** `n`: to how many of the selected rows it can be done. */
function ActButton({
  word,
  icon,
  n,
  run,
}: {
  word: string
  icon: 'retry' | 'close' | 'trash'
  n: number | undefined
  run: () => void
}) {
  return (
    <Button small icon={icon} disabled={n === 0 || (n ?? 0) > mostIds} onClick={run}>
      {word} {n !== undefined && n > 0 && count(n)}
    </Button>
  )
}

/** As many as a filter may name. Who wants more selects all that match. */
const mostIds = 200
