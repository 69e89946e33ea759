import type { Config } from '../runtime/config.ts'

/** The environment in which a process reads the same settings as these, whatever ours says. */
export function environmentOf(config: Config): NodeJS.ProcessEnv {
  const { databaseUrl, tasks } = config
  return {
    ...process.env,
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
