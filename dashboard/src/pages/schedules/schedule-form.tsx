import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { type CatchUp, MillraceError } from '../../../../src/client/index.ts'
import { api } from '../../api/client.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog, DialogActions } from '../../ui/dialog.tsx'
import { Select, TextArea, TextField } from '../../ui/field.tsx'
import { timeOfDay } from '../../ui/format.ts'
import { toast } from '../../ui/toast.tsx'
import { type Draft, definitionText, draftOf, type ScheduleRow } from './schedule-draft.ts'
import styles from './schedules.module.css'

type FormProps = { schedule: ScheduleRow | undefined; onClose: () => void }

/** Makes a schedule, or changes one that is there. */
export function ScheduleForm({ schedule, onClose }: FormProps) {
  const title = schedule ? `Schedule “${schedule.name}”` : 'New schedule'
  // A list leaves payloads out, and what is not known must not be written back.
  const path = `/schedules/${encodeURIComponent(schedule?.name ?? '')}`
  const stored = useQuery({
    queryKey: ['schedule', schedule?.name],
    queryFn: async () => (await api().request({ path, repeatable: true })).text,
    enabled: schedule !== undefined,
    gcTime: 0,
  })
  const isReady = schedule === undefined || stored.data !== undefined
  return (
    <Dialog open onClose={onClose} title={title} wide>
      {stored.error && <p role="alert">It cannot be read: {stored.error.message}</p>}
      {isReady && (
        <Fields
          initial={draftOf(stored.data)}
          nextRuns={schedule?.nextRuns ?? []}
          {...{ schedule, onClose }}
        />
      )}
    </Dialog>
  )
}

function Fields({
  initial,
  nextRuns,
  schedule,
  onClose,
}: FormProps & { initial: Draft; nextRuns: readonly string[] }) {
  const [draft, setDraft] = useState(initial)
  const change = (some: Partial<Draft>) => setDraft({ ...draft, ...some })
  const save = useSave(draft, onClose)
  const problems = problemsIn(save.error)
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault()
        save.mutate()
      }}
    >
      {schedule === undefined && (
        <TextField
          label="Name"
          required
          value={draft.name}
          onChange={({ target }) => change({ name: target.value })}
        />
      )}
      <TimeFields {...{ draft, change, problems }} />
      {nextRuns.length > 0 && (
        <p className={styles.next}>
          Next, in your time zone:{' '}
          {nextRuns
            .slice(0, 5)
            .map((at) => timeOfDay(at))
            .join(' · ')}
        </p>
      )}
      <TaskFields {...{ draft, change, problems }} />
      {problems.rest && <p role="alert">{problems.rest}</p>}
      <DialogActions>
        <Button onClick={onClose}>Close</Button>
        <Button type="submit" look="primary" disabled={save.isPending}>
          {schedule ? 'Save' : 'Create'}
        </Button>
      </DialogActions>
    </form>
  )
}

type PartProps = { draft: Draft; change: (some: Partial<Draft>) => void; problems: Problems }

const catchUps: readonly (readonly [CatchUp, string])[] = [
  ['latest', 'Run once for all of them'],
  ['all', 'Run each of them'],
  ['none', 'Leave them out'],
]

function TimeFields({ draft, change, problems }: PartProps) {
  return (
    <div className={styles.pair}>
      <TextField
        label="Cron expression"
        required
        value={draft.cron}
        onChange={({ target }) => change({ cron: target.value })}
        hint="Minute, hour, day, month, weekday"
        problem={problems.cron}
      />
      <TextField
        label="Time zone"
        required
        value={draft.timeZone}
        onChange={({ target }) => change({ timeZone: target.value })}
        hint="Such as Europe/Berlin"
        problem={problems.timeZone}
      />
      <Select
        label="Times that were missed"
        options={catchUps}
        value={draft.catchUp}
        onChange={({ target }) => change({ catchUp: target.value as CatchUp })}
      />
    </div>
  )
}

function TaskFields({ draft, change, problems }: PartProps) {
  return (
    <>
      <div className={styles.pair}>
        <TextField
          label="Type"
          value={draft.type}
          onChange={({ target }) => change({ type: target.value })}
          problem={problems.type}
        />
        <TextField
          label="Queue"
          value={draft.queue}
          onChange={({ target }) => change({ queue: target.value })}
          problem={problems.queue}
        />
      </div>
      <TextArea
        label="Payload"
        required
        value={draft.payload}
        onChange={({ target }) => change({ payload: target.value })}
        hint="JSON; it is stored as it stands here"
        problem={problems.payload}
      />
    </>
  )
}

function useSave(draft: Draft, onSaved: () => void) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: () =>
      api().request({
        method: 'PUT',
        path: `/schedules/${encodeURIComponent(draft.name)}`,
        body: definitionText(draft),
        repeatable: true,
      }),
    onSuccess: () => {
      toast(`Saved ${draft.name}`)
      onSaved()
      return queries.invalidateQueries({ queryKey: ['schedules'] })
    },
  })
}

type Problems = Partial<Record<keyof Draft | 'rest', string>>

/** What the server said, at the field that it is about. */
function problemsIn(error: Error | null): Problems {
  if (error === null) return {}
  if (!(error instanceof MillraceError) || error.errors.length === 0) return { rest: error.message }
  return Object.fromEntries(
    error.errors.map(({ pointer, detail }) => {
      const field = pointer?.split('/').at(-1) ?? ''
      return [['cron', 'timeZone', 'type', 'queue', 'payload'].includes(field) ? field : 'rest', detail]
    }),
  )
}
