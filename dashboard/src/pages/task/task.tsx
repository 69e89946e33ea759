import { Link, useParams } from '@tanstack/react-router'
import { NotFoundError } from '../../../../src/client/index.ts'
import { buttonClass, IconButton } from '../../ui/button.tsx'
import { copy } from '../../ui/code-block.tsx'
import { Empty } from '../../ui/empty.tsx'
import { JsonView } from '../../ui/json/json-view.tsx'
import { Page, Section } from '../../ui/page.tsx'
import { QueryState } from '../../ui/query-state.tsx'
import { StatusBadge } from '../../ui/status.tsx'
import { Attempts } from './attempts.tsx'
import { Details } from './details.tsx'
import { ErrorView } from './error-view.tsx'
import { Life } from './life.tsx'
import { ProgressNow } from './progress-now.tsx'
import styles from './task.module.css'
import { TaskActions } from './task-actions.tsx'
import { type TaskTexts, useTask } from './use-task.ts'
import { WhySentence } from './why-sentence.tsx'

export default function TaskPage() {
  const { id = '' } = useParams({ strict: false })
  const task = useTask(id)
  if (task.error instanceof NotFoundError || (task.error && !isId(id))) return <NoSuchTask id={id} />
  return (
    <Page
      title={task.data ? `${task.data.task.type} ${id.slice(-6)}` : 'Task'}
      heading={task.data ? <Heading {...task.data} /> : 'Task'}
      actions={task.data && <TaskActions {...task.data} />}
    >
      <QueryState query={task} what="The task">
        {(data) => <Body {...data} />}
      </QueryState>
    </Page>
  )
}

const isId = (text: string) => /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)

function Heading({ task: { id, type, status } }: TaskTexts) {
  return (
    <span className={styles.heading}>
      <span className={styles.type}>{type}</span>
      <span className={styles.status}>
        <StatusBadge status={status} />
      </span>
      <span className={styles.id}>
        <code>{id}</code>
        <IconButton label="Copy the id" icon="copy" small onClick={() => void copy(id)} />
      </span>
    </span>
  )
}

function Body({ task, payloadText, resultText }: TaskTexts) {
  return (
    <div className={styles.columns}>
      <div className={styles.main}>
        <WhySentence task={task} />
        {task.status === 'processing' && task.progress && <ProgressNow progress={task.progress} />}
        {task.error && (
          <Section title={task.status === 'failed' ? 'Error' : 'Error of an attempt before'}>
            <ErrorView error={task.error} />
          </Section>
        )}
        <Life task={task} />
        {task.status === 'completed' && (
          <Section title="Result">
            <JsonView text={resultText} label="Result" />
          </Section>
        )}
        <Section title="Payload">
          <JsonView text={payloadText} label="Payload" />
        </Section>
        <Attempts task={task} />
      </div>
      <Details task={task} />
    </div>
  )
}

function NoSuchTask({ id }: { id: string }) {
  return (
    <Page title="No such task">
      <Empty
        title="There is no task with this id"
        actions={
          <Link to="/tasks" className={buttonClass()}>
            To the tasks
          </Link>
        }
      >
        <code>{id}</code> may have been mistyped, or its task ended so long ago that it is no longer kept.
      </Empty>
    </Page>
  )
}
