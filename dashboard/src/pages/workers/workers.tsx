import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { WorkerInfo } from '../../../../src/client/index.ts'
import { api } from '../../api/client.ts'
import { Empty } from '../../ui/empty.tsx'
import { count, plural } from '../../ui/format.ts'
import { Page } from '../../ui/page.tsx'
import { ProgressBar } from '../../ui/progress.tsx'
import { QueryState } from '../../ui/query-state.tsx'
import { type Column, Table } from '../../ui/table.tsx'
import { Ago } from '../../ui/time.tsx'
import styles from './workers.module.css'

const everyMs = 3_000

export default function Workers() {
  const workers = useQuery({
    queryKey: ['workers'],
    queryFn: () => api().workers(),
    refetchInterval: everyMs,
  })
  return (
    <Page title="Workers" lead={workers.data && workers.data.length > 0 ? summary(workers.data) : undefined}>
      <QueryState query={workers} what="The workers">
        {(rows) =>
          rows.length === 0 ? (
            <NoWorkers />
          ) : (
            <Table label="Workers" rows={rows} columns={columns} rowKey={({ id }) => id} />
          )
        }
      </QueryState>
    </Page>
  )
}

function summary(workers: readonly WorkerInfo[]): string {
  const slots = workers.reduce((sum, { concurrency }) => sum + concurrency, 0)
  const running = workers.reduce((sum, worker) => sum + worker.running, 0)
  return `${plural(workers.length, 'worker')} with ${plural(slots, 'slot')}, ${count(running)} of them busy.`
}

function NoWorkers() {
  const lessons = [
    { name: 'Shell', code: 'TASKS=./tasks QUEUES=default CONCURRENCY=100 npx millrace worker' },
    {
      name: 'TypeScript',
      code: `import { defineTask, startWorker } from 'millrace'

const greet = defineTask({ type: 'greet', run: async (name) => \`Hello \${name}\` })
await startWorker({ tasks: [greet] })`,
    },
  ]
  return (
    <Empty title="No worker lives" lessons={lessons}>
      Tasks wait until a worker comes that has a handler for their type. A worker is a process; start as many
      as you like, on any host that reaches the database.
    </Empty>
  )
}

const columns: readonly Column<WorkerInfo>[] = [
  {
    key: 'host',
    header: 'Host',
    width: 'minmax(8rem, 1.5fr)',
    cell: ({ host, pid, id }) => (
      <span title={id}>
        {host} <span className={styles.dim}>pid {pid}</span>
      </span>
    ),
  },
  {
    key: 'busy',
    header: 'Busy',
    width: 'minmax(9.5rem, 1fr)',
    cell: ({ id, running, concurrency }) => (
      <Link to="/tasks" search={{ status: 'processing', workerId: id }} className={styles.busy}>
        <ProgressBar label="Slots in use" total={concurrency} parts={[{ value: running, tone: 'accent' }]} />
        <span>
          {count(running)} / {count(concurrency)}
        </span>
      </Link>
    ),
  },
  {
    key: 'queues',
    header: 'Queues',
    width: 'minmax(6rem, 1fr)',
    from: 560,
    cell: ({ queues }) => <Names names={queues} />,
  },
  {
    key: 'types',
    header: 'Types',
    width: 'minmax(6rem, 1.5fr)',
    from: 720,
    cell: ({ types }) => <Names names={types} />,
  },
  { key: 'version', header: 'Version', width: '5rem', from: 880, cell: ({ version }) => version },
  {
    key: 'started',
    header: 'Started',
    width: '6rem',
    align: 'end',
    from: 800,
    cell: ({ startedAt }) => <Ago at={startedAt} />,
  },
  {
    key: 'seen',
    header: 'Last seen',
    width: '6rem',
    align: 'end',
    from: 420,
    cell: ({ lastSeenAt }) => <Ago at={lastSeenAt} />,
  },
]

function Names({ names }: { names: readonly string[] }) {
  const text = names.join(', ')
  return <span title={text}>{text}</span>
}
