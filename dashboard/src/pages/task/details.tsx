import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { Task } from '../../../../src/client/index.ts'
import { api } from '../../api/client.ts'
import { count } from '../../ui/format.ts'
import { withoutTricks } from '../../ui/json/tree.ts'
import { ProgressBar } from '../../ui/progress.tsx'
import { Ago, Clock } from '../../ui/time.tsx'
import styles from './task.module.css'

/** What is known of the task beside what it does. Most of it leads to the tasks that have it too. */
export function Details({ task }: { task: Task }) {
  const { type, queue, key, priority, attempt, maxAttempts, batchId, idempotencyKey, workerId } = task
  const { createdAt, runAt, startedAt, finishedAt } = task
  return (
    <aside aria-label="Details" className={styles.side}>
      <dl className={styles.details}>
        <Detail name="Type">
          <Alike by={{ type }}>{type}</Alike>
        </Detail>
        <Detail name="Queue">
          <Alike by={{ queue }}>{queue}</Alike>
        </Detail>
        {key !== null && (
          <Detail name="Key">
            <Alike by={{ key }}>{withoutTricks(key)}</Alike>
          </Detail>
        )}
        <Detail name="Priority">{priority}</Detail>
        <Detail name="Attempts">
          {attempt} of {maxAttempts}
        </Detail>
        <Detail name="Created">
          <Moment at={createdAt} />
        </Detail>
        {runAt !== createdAt && (
          <Detail name="Due">
            <Moment at={runAt} />
          </Detail>
        )}
        {startedAt && (
          <Detail name="Started">
            <Moment at={startedAt} />
          </Detail>
        )}
        {finishedAt && (
          <Detail name="Ended">
            <Moment at={finishedAt} />
          </Detail>
        )}
        {workerId && (
          <Detail name="Worker">
            <Alike by={{ workerId }}>
              <code>{workerId}</code>
            </Alike>
          </Detail>
        )}
        {batchId && (
          <Detail name="Batch">
            <BatchLink id={batchId} />
          </Detail>
        )}
        {idempotencyKey !== null && (
          <Detail name="Idempotency key">
            <code>{withoutTricks(idempotencyKey)}</code>
          </Detail>
        )}
      </dl>
    </aside>
  )
}

function Detail({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

/** To the tasks that have this in common. */
function Alike({ by, children }: { by: Record<string, string>; children: ReactNode }) {
  return (
    <Link to="/tasks" search={by} className={styles.link}>
      {children}
    </Link>
  )
}

function Moment({ at }: { at: string }) {
  return (
    <>
      <Clock at={at} />{' '}
      <span className={styles.quiet}>
        <Ago at={at} />
      </span>
    </>
  )
}

const batchMs = 3_000

function BatchLink({ id }: { id: string }) {
  const { data } = useQuery({
    queryKey: ['batches', id],
    queryFn: () => api().batch(id).get(),
    refetchInterval: ({ state }) => (state.data?.finishedAt ? false : batchMs),
  })
  return (
    <>
      <Alike by={{ batchId: id }}>
        <code>{id}</code>
      </Alike>
      {data && (
        <span className={styles.batch}>
          <ProgressBar
            label="Progress of the batch"
            total={data.total}
            parts={[
              { value: data.counts.completed, tone: 'good' },
              { value: data.counts.failed, tone: 'bad' },
              { value: data.counts.canceled, tone: 'muted' },
            ]}
          />
          <span className={styles.quiet}>
            {count(data.counts.completed + data.counts.failed + data.counts.canceled)} of {count(data.total)}
          </span>
        </span>
      )}
    </>
  )
}
