import { Link } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import type { Counts, Status } from '../../../../src/client/index.ts'
import { useStats } from '../../live/live.ts'
import { Button, IconButton } from '../../ui/button.tsx'
import { classNames } from '../../ui/class-names.ts'
import { Dialog, DialogActions } from '../../ui/dialog.tsx'
import { TextField } from '../../ui/field.tsx'
import { compact } from '../../ui/format.ts'
import type { Filter } from './filter/fields.ts'
import { textOf } from './filter/tokens.ts'
import { forgetView, givenViews, isSameFilter, saveView, useSavedViews, type View } from './saved-views.ts'
import styles from './tasks.module.css'

/** Filters with a name: those that everybody has, and those that this browser keeps. */
export function Views({ filter }: { filter: Filter }) {
  const saved = useSavedViews()
  const stats = useStats()
  const [isNaming, setNaming] = useState(false)
  const isKnown = [...givenViews, ...saved].some((view) => isSameFilter(view.filter, filter))
  return (
    <nav aria-label="Views" className={styles.views}>
      {givenViews.map((view) => (
        <ViewLink key={view.name} view={view} now={filter} n={countOf(view.filter, stats?.counts)} />
      ))}
      {saved.map((view) => (
        <span key={view.name} className={styles.saved}>
          <ViewLink view={view} now={filter} />
          <IconButton
            label={`Forget the view ${view.name}`}
            icon="close"
            small
            onClick={() => forgetView(view.name)}
          />
        </span>
      ))}
      {!isKnown && (
        <Button small look="quiet" icon="plus" onClick={() => setNaming(true)}>
          Save view
        </Button>
      )}
      <Dialog open={isNaming} onClose={() => setNaming(false)} title="Save this view">
        <NameForm filter={filter} close={() => setNaming(false)} />
      </Dialog>
    </nav>
  )
}

function countOf(filter: Filter, counts: Counts | undefined): number | undefined {
  return filter.status === undefined ? undefined : counts?.[filter.status as Status]
}

function ViewLink({ view, now, n }: { view: View; now: Filter; n?: number | undefined }) {
  const isNow = isSameFilter(view.filter, now)
  return (
    <Link
      to="/tasks"
      search={view.filter as Record<string, string>}
      title={textOf(view.filter) || 'every task'}
      aria-current={isNow ? 'page' : undefined}
      className={classNames(styles.view, isNow && styles.now)}
    >
      <bdi className={styles.viewName}>{view.name}</bdi>
      {n !== undefined && n > 0 && <span className={styles.viewCount}>{compact(n)}</span>}
    </Link>
  )
}

function NameForm({ filter, close }: { filter: Filter; close: () => void }) {
  const [name, setName] = useState('')
  const save = (event: FormEvent) => {
    event.preventDefault()
    if (name.trim() === '') return
    saveView(name.trim(), filter)
    close()
  }
  return (
    <form onSubmit={save} className={styles.form}>
      <TextField
        label="Name"
        required
        maxLength={40}
        value={name}
        onChange={({ target }) => setName(target.value)}
        hint={
          <>
            <code>{textOf(filter)}</code>, kept in this browser.
          </>
        }
      />
      <DialogActions>
        <Button type="submit" look="primary">
          Save
        </Button>
      </DialogActions>
    </form>
  )
}
