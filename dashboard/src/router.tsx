import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router'
import { NoSuchPage, PageFailure } from './shell/failure.tsx'
import { Shell } from './shell/shell.tsx'

/** Parameters of an address are text, and as few as they are: `?status=failed&age=<1h`. */
type Search = Record<string, string>

const root = createRootRoute({
  component: Shell,
  errorComponent: PageFailure,
  notFoundComponent: NoSuchPage,
  validateSearch: (search): Search => search as Search,
})

const overview = createRoute({
  getParentRoute: () => root,
  path: '/',
  component: lazyRouteComponent(() => import('./pages/overview/overview.tsx')),
})
const tasks = createRoute({
  getParentRoute: () => root,
  path: '/tasks',
  component: lazyRouteComponent(() => import('./pages/tasks/tasks.tsx')),
})
const task = createRoute({
  getParentRoute: () => root,
  path: '/tasks/$id',
  component: lazyRouteComponent(() => import('./pages/task/task.tsx')),
})
const newTask = createRoute({
  getParentRoute: () => root,
  path: '/tasks/new',
  component: lazyRouteComponent(() => import('./pages/new-task/new-task.tsx')),
})
const errors = createRoute({
  getParentRoute: () => root,
  path: '/errors',
  component: lazyRouteComponent(() => import('./pages/errors/errors.tsx')),
})
const queues = createRoute({
  getParentRoute: () => root,
  path: '/queues',
  component: lazyRouteComponent(() => import('./pages/queues/queues.tsx')),
})
const workers = createRoute({
  getParentRoute: () => root,
  path: '/workers',
  component: lazyRouteComponent(() => import('./pages/workers/workers.tsx')),
})
const batches = createRoute({
  getParentRoute: () => root,
  path: '/batches',
  component: lazyRouteComponent(() => import('./pages/batches/batches.tsx')),
})
const bulkActions = createRoute({
  getParentRoute: () => root,
  path: '/bulk-actions',
  component: lazyRouteComponent(() => import('./pages/bulk/bulk.tsx')),
})
const system = createRoute({
  getParentRoute: () => root,
  path: '/system',
  component: lazyRouteComponent(() => import('./pages/system/system.tsx')),
})
const schedules = createRoute({
  getParentRoute: () => root,
  path: '/schedules',
  component: lazyRouteComponent(() => import('./pages/schedules/schedules.tsx')),
})

export const router = createRouter({
  routeTree: root.addChildren([
    overview,
    tasks,
    task,
    newTask,
    errors,
    queues,
    workers,
    schedules,
    batches,
    bulkActions,
    system,
  ]),
  basepath: '/dashboard',
  defaultPreload: 'intent',
  defaultErrorComponent: PageFailure,
  scrollRestoration: true,
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch: (search) => {
    const given = Object.entries(search).filter(([, value]) => value !== undefined && value !== '')
    const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()
    return text && `?${text}`
  },
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
