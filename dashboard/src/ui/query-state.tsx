import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { Button } from './button.tsx'
import styles from './query-state.module.css'
import { StatusMark } from './status.tsx'

type QueryStateProps<Data> = {
  query: UseQueryResult<Data>
  /** What is read, at the beginning of a sentence: "The workers". */
  what: string
  children: (data: Data) => ReactNode
}

/** What was read; the last that is known while it cannot be read again; and why there is nothing. */
export function QueryState<Data>({ query, what, children }: QueryStateProps<Data>) {
  return (
    <>
      {query.error && (
        <QueryFailure
          what={what}
          error={query.error}
          isOld={query.data !== undefined}
          retry={() => void query.refetch()}
        />
      )}
      {query.data !== undefined ? children(query.data) : !query.error && <Waiting />}
    </>
  )
}

type Failing = { what: string; error: Error; isOld?: boolean; retry: () => void }

export function QueryFailure({ what, error, isOld = false, retry }: Failing) {
  return (
    <div role="alert" className={styles.failure}>
      <StatusMark mark="failed" />
      <span>
        {what} cannot be read: {error.message}
        {isOld && '. What you see is from before'}
      </span>
      <Button small onClick={retry}>
        Try again
      </Button>
    </div>
  )
}

/** Shown only if it takes long enough to wonder. */
function Waiting() {
  return (
    <div className={styles.waiting} role="status">
      Reading…
    </div>
  )
}
