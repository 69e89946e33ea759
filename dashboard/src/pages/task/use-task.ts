import { useQuery } from '@tanstack/react-query'
import type { Task, Timeline, Why } from '../../../../src/client/index.ts'
import { memberTexts } from '../../../../src/client/json-text.ts'
import { api } from '../../api/client.ts'

/** A task, and the texts of its payload and result as they were written. */
export type TaskTexts = { task: Task; payloadText: string; resultText: string }

const movingMs = 1_000
/** A final task changes only when somebody retries it. */
const finalMs = 10_000

export function isOver({ status }: Pick<Task, 'status'>): boolean {
  return status === 'completed' || status === 'failed' || status === 'canceled'
}

export function useTask(id: string) {
  return useQuery({
    queryKey: ['task', id],
    queryFn: () => readTask(id),
    refetchInterval: ({ state }) =>
      state.error ? finalMs : state.data && !isOver(state.data.task) ? movingMs : finalMs,
  })
}

export async function readTask(id: string): Promise<TaskTexts> {
  const { text } = await api().request({ path: `/tasks/${encodeURIComponent(id)}`, repeatable: true })
  const members = memberTexts(text)
  return {
    task: JSON.parse(text),
    payloadText: members.get('payload') ?? 'null',
    resultText: members.get('result') ?? 'null',
  }
}

/** Read again whenever the task has moved, and while it is moving. */
export function useTimeline(task: Task) {
  return useQuery<Timeline>({
    queryKey: ['task', task.id, 'timeline', task.status, task.attempt, task.runAt],
    queryFn: () => api().task(task.id).timeline(),
    refetchInterval: isOver(task) ? false : movingMs,
    placeholderData: (before) => before,
  })
}

export function useWhy(task: Task) {
  return useQuery<Why>({
    queryKey: ['task', task.id, 'why', task.status, task.attempt, task.runAt],
    queryFn: () => api().task(task.id).why(),
    refetchInterval: isOver(task) ? false : movingMs,
    placeholderData: (before) => before,
  })
}
