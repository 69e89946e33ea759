import { timelineOf } from '../domain/timeline.ts'
import { type SituationReader, whyOf } from '../domain/why.ts'
import { taskNotFound } from './change.ts'
import type { UseCases } from './index.ts'
import type { ReadTask } from './read-task.ts'

export type ExplainDeps = { situations: SituationReader; read: ReadTask }

/** Why a task does not run, and what it has done so far. */
export function explaining({
  situations,
  read,
}: ExplainDeps): Pick<UseCases, 'explainTask' | 'readTimeline'> {
  return {
    async explainTask(id) {
      const situation = await situations.situationOf(id)
      if (!situation) throw taskNotFound(id)
      return whyOf(situation)
    },
    async readTimeline(id) {
      const [task, past] = await Promise.all([read(id), situations.pastOf(id)])
      if (!past) throw taskNotFound(id)
      return timelineOf(task, past)
    },
  }
}
