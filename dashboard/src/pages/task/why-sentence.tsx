import { Link } from '@tanstack/react-router'
import type { Task, Why } from '../../../../src/client/index.ts'
import { Icon, type IconName } from '../../ui/icon.tsx'
import styles from './task.module.css'
import { isOver, useWhy } from './use-task.ts'

/** For a task that is not over: one sentence that says what it waits for. */
export function WhySentence({ task }: { task: Task }) {
  return isOver(task) ? null : <Sentence task={task} />
}

const icons: Partial<Record<Why['code'], IconName>> = {
  'due-later': 'schedules',
  'backing-off': 'retry',
  'queue-paused': 'pause',
  'queue-limit': 'limits',
  'key-limit': 'limits',
  'no-worker-for-type': 'errors',
  'no-worker-for-queue': 'errors',
  'behind-others': 'queues',
  running: 'workers',
}
const stuck: readonly Why['code'][] = ['queue-paused', 'no-worker-for-type', 'no-worker-for-queue']

function Sentence({ task }: { task: Task }) {
  const { data } = useWhy(task)
  return (
    <p role="status" className={data && stuck.includes(data.code) ? styles.stuck : styles.why}>
      {data && (
        <>
          <Icon name={icons[data.code] ?? 'queues'} />
          <span>{withClocks(data.sentence)}</span>
          <NextStep code={data.code} />
        </>
      )}
    </p>
  )
}

/** Instants by the reader's clock, as everywhere on the page. */
function withClocks(sentence: string): string {
  return sentence.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, (at) => new Date(at).toLocaleString())
}

function NextStep({ code }: { code: Why['code'] }) {
  if (code === 'queue-paused' || code === 'queue-limit' || code === 'key-limit')
    return <Link to="/queues">Queues</Link>
  if (code.startsWith('no-worker')) return <Link to="/workers">Workers</Link>
  return null
}
