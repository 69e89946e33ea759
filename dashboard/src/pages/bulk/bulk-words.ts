/** What is done, as a button says it. */
export const verbs = { cancel: 'Cancel', retry: 'Retry', delete: 'Delete' } as const

/** What it means for the tasks to which it is done. */
export const effects = {
  cancel: 'What waits does not start, and what runs is told to stop. A canceled task can be retried.',
  retry: 'They are pending again, with fresh attempts.',
  delete: 'They are gone, with their payloads, results and errors. That cannot be undone.',
} as const
