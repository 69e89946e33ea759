import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Contestant } from '../contestant.ts'
import { hasRedis, openPostgres, openRedis, peersFolder } from '../servers.ts'
import { enterByItself } from './by-itself.ts'

const onPostgres = [
  {
    name: 'pg-boss',
    program: 'pg-boss',
    mode: '',
    share: 0.2,
    about: 'tuned; keeps tasks and results for a week',
  },
  {
    name: 'graphile-worker',
    program: 'graphile-worker',
    mode: '',
    share: 0.1,
    about: 'as it comes; deletes what is done, keeps no results',
  },
  {
    name: 'graphile-worker batched',
    program: 'graphile-worker',
    mode: 'batched',
    share: 0.5,
    about: 'tuned; deletes what is done, keeps no results',
  },
  {
    name: 'BullMQ PostgreSQL',
    program: 'bullmq',
    mode: '',
    share: 0.1,
    about: 'on PostgreSQL; keeps tasks and results',
  },
] as const

const onRedis = [
  { appendfsync: 'always', about: 'Redis with appendfsync always: durable; keeps tasks and results' },
  {
    appendfsync: 'everysec',
    about: 'Redis with appendfsync everysec: a crash may lose a second; keeps tasks and results',
  },
] as const

/** What else one would have picked, each as its own documentation recommends. Installed by `npm run bench:peers`. */
export const peers: readonly Contestant[] = [
  ...onPostgres.map(
    ({ name, program, mode, share, about }): Contestant => ({
      name,
      share,
      about,
      missing: () => notInstalled(program),
      async open(folder) {
        const server = await openPostgres(folder)
        return enterByItself(fileOf(program), { args: [server.url, mode], part: 'PostgreSQL', server })
      },
    }),
  ),
  ...onRedis.map(
    ({ appendfsync, about }): Contestant => ({
      name: `BullMQ ${appendfsync}`,
      share: 0.5,
      about,
      missing: () => notInstalled('bullmq') ?? (hasRedis() ? undefined : 'install redis-server'),
      async open(folder) {
        const server = await openRedis(folder, appendfsync)
        return enterByItself(fileOf('bullmq'), { args: [server.url], part: 'Redis', server })
      },
    }),
  ),
]

function notInstalled(program: string): string | undefined {
  return existsSync(join(peersFolder, 'node_modules', program)) ? undefined : 'run npm run bench:peers'
}

const fileOf = (program: string) => join(peersFolder, `${program}.mjs`)
