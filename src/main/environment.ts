import { type Config, describeConfig } from '../runtime/config.ts'

/** Names the settings that were given to the process that handed down the environment. */
const givenVariable = 'MILLRACE_SETTINGS_GIVEN'

/** The environment in which a process reads the same settings as these, whatever ours says. */
export function environmentOf(config: Config): NodeJS.ProcessEnv {
  const { databaseUrl, tasks } = config
  return {
    ...process.env,
    [givenVariable]: process.env[givenVariable] ?? namesGiven(config).join(','),
    ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
    AMQP_URL: config.amqpUrls.join(','),
    DATA_DIR: config.dataDir,
    HOST: config.host,
    PORT: String(config.port),
    API_KEYS: config.apiKeys.join(','),
    ...(tasks === undefined ? {} : { TASKS: tasks }),
    QUEUES: config.queues.join(','),
    CONCURRENCY: String(config.concurrency),
    SHUTDOWN_GRACE_MS: String(config.shutdownGraceMs),
    RETENTION_DAYS: String(config.retentionDays),
    LOG_LEVEL: config.logLevel,
    LOG_FORMAT: config.logFormat,
  }
}

function namesGiven(config: Config): string[] {
  const reports = describeConfig(config, process.env)
  return reports.filter(({ source }) => source === 'env').map(({ variable }) => variable)
}

/** The settings that people have given, where another process of ours has handed down all; undefined where none has. */
export function settingsGiven(): Set<string> | undefined {
  const names = process.env[givenVariable]
  return names === undefined ? undefined : new Set(names.split(','))
}
