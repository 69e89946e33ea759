import { Command } from 'commander'
import { readConfig } from '../../runtime/config.ts'
import { withExamples } from '../examples.ts'
import { say } from '../words.ts'

// What these run is imported when it runs: `millrace get` must not wait for Fastify and PostgreSQL's client.

export function startCommand(): Command {
  const command = new Command('start')
    .description('run everything: embedded PostgreSQL, API and worker')
    .action(async () => {
      const config = readConfig(process.env, { listens: true })
      const { start } = await import('../../main/start.ts')
      await start(config)
    })
  return withExamples(command, 'millrace start', 'PORT=9000 TASKS=./tasks millrace start')
}

export function apiCommand(): Command {
  const command = new Command('api').description('run one process of the HTTP API').action(async () => {
    const config = readConfig(process.env, { listens: true })
    const [{ runApi }, { createLog }] = await Promise.all([
      import('../../main/api.ts'),
      import('../../runtime/log.ts'),
    ])
    await runApi(config, createLog({ level: config.logLevel, format: config.logFormat, name: 'api' }))
  })
  return withExamples(
    command,
    'millrace api',
    'PORT=8001 DATABASE_URL=postgres://localhost/millrace millrace api',
  )
}

export function workerCommand(): Command {
  const command = new Command('worker').description('run one process that runs tasks').action(async () => {
    const config = readConfig(process.env)
    const [{ runWorker }, { createLog }] = await Promise.all([
      import('../../main/worker.ts'),
      import('../../runtime/log.ts'),
    ])
    await runWorker(config, createLog({ level: config.logLevel, format: config.logFormat, name: 'worker' }))
  })
  return withExamples(command, 'millrace worker', 'QUEUES=mail,images CONCURRENCY=50 millrace worker')
}

export function migrateCommand(): Command {
  const command = new Command('migrate')
    .description('bring the database up to date, then exit')
    .action(async () => {
      const config = readConfig(process.env)
      const [{ databaseUrlOf }, { migrate }] = await Promise.all([
        import('../../main/database.ts'),
        import('../../main/migrate.ts'),
      ])
      const database = await databaseUrlOf(config)
      try {
        const applied = await migrate(database.url, { retentionDays: config.retentionDays })
        say(applied.length === 0 ? 'the database is up to date' : `applied ${applied.join(', ')}`)
      } finally {
        await database.stop()
      }
    })
  return withExamples(
    command,
    'millrace migrate',
    'DATABASE_URL=postgres://localhost/millrace millrace migrate',
  )
}
