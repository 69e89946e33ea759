import type { LinkProps } from '@tanstack/react-router'
import type { IconName } from '../ui/icon.tsx'

export type Place = {
  to: NonNullable<LinkProps['to']>
  label: string
  icon: IconName
  keys: string
  group: number
}

/** The pages, in the order of the navigation. */
export const places: readonly Place[] = [
  { to: '/', label: 'Overview', icon: 'overview', keys: 'g o', group: 0 },
  { to: '/tasks', label: 'Tasks', icon: 'tasks', keys: 'g t', group: 0 },
  { to: '/errors', label: 'Errors', icon: 'errors', keys: 'g e', group: 0 },
  { to: '/queues', label: 'Queues', icon: 'queues', keys: 'g q', group: 1 },
  { to: '/workers', label: 'Workers', icon: 'workers', keys: 'g w', group: 1 },
  { to: '/schedules', label: 'Schedules', icon: 'schedules', keys: 'g s', group: 1 },
  { to: '/batches', label: 'Batches', icon: 'batches', keys: 'g b', group: 1 },
  { to: '/bulk-actions', label: 'Bulk actions', icon: 'bulk', keys: 'g a', group: 1 },
  { to: '/system', label: 'System', icon: 'system', keys: 'g y', group: 2 },
]
