import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import { useMay } from '../../api/who.ts'
import { Button } from '../../ui/button.tsx'
import { Empty } from '../../ui/empty.tsx'
import { Page } from '../../ui/page.tsx'
import { QueryState } from '../../ui/query-state.tsx'
import type { ScheduleRow } from './schedule-draft.ts'
import { ScheduleForm } from './schedule-form.tsx'
import { ScheduleTable } from './schedule-table.tsx'

const everyMs = 5_000

/** What the form is about: a new schedule, or one that is there. */
type Editing = 'nothing' | 'new' | ScheduleRow

export default function Schedules() {
  const [editing, edit] = useState<Editing>('nothing')
  const schedules = useInfiniteQuery({
    queryKey: ['schedules'],
    queryFn: ({ pageParam }) =>
      api().schedules.list(pageParam === undefined ? { limit: 200 } : { limit: 200, cursor: pageParam }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ page }) => page.next ?? undefined,
    refetchInterval: everyMs,
  })
  const create = useMay('admin') && (
    <Button look="primary" icon="plus" onClick={() => edit('new')}>
      New schedule
    </Button>
  )
  return (
    <Page
      title="Schedules"
      actions={create}
      lead="Tasks that are submitted again and again, at the times of a cron expression."
    >
      <QueryState query={schedules} what="The schedules">
        {({ pages }) => {
          const rows = pages.flatMap(({ data }) => data)
          return rows.length === 0 ? <NoSchedules /> : <ScheduleTable rows={rows} onEdit={edit} />
        }}
      </QueryState>
      {schedules.hasNextPage && <Button onClick={() => void schedules.fetchNextPage()}>Show more</Button>}
      {editing !== 'nothing' && (
        <ScheduleForm schedule={editing === 'new' ? undefined : editing} onClose={() => edit('nothing')} />
      )}
    </Page>
  )
}

function NoSchedules() {
  const body = '{"cron":"0 9 * * 1-5","timeZone":"Europe/Berlin","task":{"type":"default","payload":"hello"}}'
  const lessons = [
    {
      name: 'curl',
      code: `curl -s -X PUT ${location.origin}/schedules/hello -H 'content-type: application/json' \\\n  -d '${body}'`,
    },
    {
      name: 'TypeScript',
      code: `await millrace.schedules.put('hello', {
  cron: '0 9 * * 1-5',
  timeZone: 'Europe/Berlin',
  task: { type: 'default', payload: 'hello' },
})`,
    },
  ]
  return (
    <Empty title="No schedules yet" lessons={lessons}>
      A schedule has a name, times in a time zone, and the task that is submitted then. Clocks that change,
      missed times and processes that die are taken care of.
    </Empty>
  )
}
