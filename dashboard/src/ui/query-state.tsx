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
        <div role="alert" className={styles.failure}>
          <StatusMark mark="failed" />
          <span>
            {what} cannot be read: {query.error.message}
            {query.data !== undefined && '. What you see is from before'}
          </span>
          <Button small onClick={() => void query.refetch()}>
            Try again
          </Button>
        </div>
      )}
      {query.data !== undefined ? children(query.data) : !query.error && <Waiting />}
    </>
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
