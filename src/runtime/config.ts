import { type Config, type Setting, SettingProblem, settings } from './settings.ts'

export type { Config } from './settings.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** All that is wrong with the settings, a sentence each. Holds no secrets. */
export class ConfigError extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`these settings cannot be used:\n${problems.map((problem) => `  ${problem}`).join('\n')}`)
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/**
 * Reads and checks all settings; unset and empty are the same. Throws one ConfigError with every problem.
 * `listens`: the process will open `host` to the network, so `apiKeys` must protect it.
 */
export function readConfig(
  env: Environment,
  { listens = false, isTerminal = process.stderr.isTTY === true } = {},
): Config {
  const problems: string[] = []
  const read = <Value>(setting: Setting<Value>, fallback = setting.fallback): Value => {
    const text = textOf(env, setting)
    return text === undefined ? fallback : parsed(setting, text, problems)
  }
  const databaseUrl = read<string | undefined>(settings.databaseUrl)
  const tasks = read<string | undefined>(settings.tasks)
  const config: Config = {
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
    amqpUrls: Object.freeze(read<readonly string[]>(settings.amqpUrls)),
    dataDir: read(settings.dataDir),
    host: read(settings.host),
    port: read(settings.port),
    apiKeys: Object.freeze(read<readonly string[]>(settings.apiKeys)),
    ...(tasks === undefined ? {} : { tasks }),
    queues: Object.freeze(read<readonly string[]>(settings.queues)),
    concurrency: read(settings.concurrency),
    shutdownGraceMs: read(settings.shutdownGraceMs),
    retentionDays: read(settings.retentionDays),
    webhookSecrets: Object.freeze(read<readonly string[]>(settings.webhookSecrets)),
    webhookAllowPrivate: read<boolean>(settings.webhookAllowPrivate),
    logLevel: read<Config['logLevel']>(settings.logLevel),
    logFormat: read<Config['logFormat']>(settings.logFormat, isTerminal ? 'pretty' : 'json'),
  }
  if (listens && isOpen(config) && textOf(env, settings.apiKeys) === undefined)
    problems.push(openWithoutKeys(config))
  if (problems.length > 0) throw new ConfigError(problems)
  return Object.freeze(config)
}

export type SettingReport = { variable: string; value: string; source: 'env' | 'default'; meaning: string }

/** Each setting as it is in force, where it came from, and what it is for; passwords and keys are masked. */
export function describeConfig(config: Config, env: Environment): SettingReport[] {
  return Object.values(settings).map((setting) => ({
    variable: setting.variable,
    value: setting.show(config) || setting.byDefault,
    source: textOf(env, setting) === undefined ? 'default' : 'env',
    meaning: setting.meaning,
  }))
}

function textOf(env: Environment, { variable }: { variable: string }): string | undefined {
  return env[variable]?.trim() || undefined
}

function parsed<Value>(setting: Setting<Value>, text: string, problems: string[]): Value {
  try {
    return setting.parse(text)
  } catch (error) {
    if (!(error instanceof SettingProblem)) throw error
    problems.push(`${setting.variable} ${error.message}`)
    return setting.fallback
  }
}

function isOpen({ host }: Config): boolean {
  return !/^(localhost|127(\.\d{1,3}){3}|::1|0:0:0:0:0:0:0:1)$/i.test(host)
}

function openWithoutKeys({ host }: Config): string {
  return `HOST ${host} is open to other machines, which takes API_KEYS; set API_KEYS to one or more secrets, or HOST to 127.0.0.1`
}
