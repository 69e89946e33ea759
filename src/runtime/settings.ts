import { resolve } from 'node:path'

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]
const logFormats = ['pretty', 'json'] as const
export type LogFormat = (typeof logFormats)[number]

/** Everything that can be set from outside. Absent `databaseUrl`: the embedded server of `dataDir`. */
export type Config = {
  readonly databaseUrl?: string
  /** Empty: PostgreSQL dispatches. Several are nodes of one cluster. */
  readonly amqpUrls: readonly string[]
  /** Absolute. */
  readonly dataDir: string
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** Empty: everybody may call. */
  readonly apiKeys: readonly string[]
  /** A module or a folder of modules, as it was given. Absent: the examples. */
  readonly tasks?: string
  readonly queues: readonly string[]
  readonly concurrency: number
  readonly shutdownGraceMs: number
  readonly retentionDays: number
  /** Empty: webhooks are not signed. */
  readonly webhookSecrets: readonly string[]
  readonly webhookAllowPrivate: boolean
  readonly logLevel: LogLevel
  readonly logFormat: LogFormat
}

/** One environment variable: what it is for, its default, and how its text becomes a value. */
export type Setting<Value = unknown> = {
  variable: string
  meaning: string
  /** The default in words, as documents name it. */
  byDefault: string
  fallback: Value
  /** Throws SettingProblem. The text is trimmed and never empty. */
  parse(text: string): Value
  /** The value as people may see it: nothing secret; nothing where the default's words say it. */
  show(config: Config): string | undefined
}

/** What is wrong with a setting, as the rest of a sentence that begins with its name. Holds no secrets. */
export class SettingProblem extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'SettingProblem'
  }
}

/** The table of all settings; reading, `millrace config`, the documents and the checks on them come from here. */
export const settings = {
  databaseUrl: {
    variable: 'DATABASE_URL',
    meaning: 'PostgreSQL 15 or newer',
    byDefault: 'embedded PostgreSQL in DATA_DIR',
    fallback: undefined,
    parse: databaseUrl,
    show: ({ databaseUrl }) =>
      databaseUrl ? withoutPassword(databaseUrl) : 'embedded PostgreSQL in DATA_DIR',
  },
  amqpUrls: {
    variable: 'AMQP_URL',
    meaning: 'RabbitMQ 3.10 or newer; comma-separated for several nodes of a cluster',
    byDefault: 'none: PostgreSQL dispatches',
    fallback: [],
    parse: (text) => list(text).map(amqpUrl),
    show: ({ amqpUrls }) => amqpUrls.map(withoutPassword).join(','),
  },
  dataDir: {
    variable: 'DATA_DIR',
    meaning: "the embedded server's files",
    byDefault: '.millrace',
    fallback: resolve('.millrace'),
    parse: (text) => resolve(text),
    show: ({ dataDir }) => dataDir,
  },
  host: {
    variable: 'HOST',
    meaning: 'the address to listen on; beyond loopback only with API_KEYS',
    byDefault: '127.0.0.1',
    fallback: '127.0.0.1',
    parse: host,
    show: ({ host }) => host,
  },
  port: {
    variable: 'PORT',
    meaning: 'the port to listen on',
    byDefault: '8000',
    fallback: 8000,
    parse: (text) => integer(text, 0, 65_535),
    show: ({ port }) => String(port),
  },
  apiKeys: {
    variable: 'API_KEYS',
    meaning:
      "comma-separated; then every route but the health checks and the dashboard's files wants one as `Authorization: Bearer KEY`",
    byDefault: 'none',
    fallback: [],
    parse: (text) => list(text).map(apiKey),
    show: ({ apiKeys }) => apiKeys.map(() => '***').join(','),
  },
  tasks: {
    variable: 'TASKS',
    meaning: 'module, or folder of modules, with the handlers a worker runs',
    byDefault: 'the examples',
    fallback: undefined,
    parse: (text) => text,
    show: ({ tasks }) => tasks,
  },
  queues: {
    variable: 'QUEUES',
    meaning: 'what this worker consumes, comma-separated',
    byDefault: 'default',
    fallback: ['default'],
    parse: (text) => list(text).map(queueName),
    show: ({ queues }) => queues.join(','),
  },
  concurrency: {
    variable: 'CONCURRENCY',
    meaning: 'tasks a worker runs at once',
    byDefault: '1000',
    fallback: 1000,
    parse: (text) => integer(text, 1, 100_000),
    show: ({ concurrency }) => String(concurrency),
  },
  shutdownGraceMs: {
    variable: 'SHUTDOWN_GRACE_MS',
    meaning: 'how long a stop waits for running tasks before it hands them back',
    byDefault: '30000',
    fallback: 30_000,
    parse: (text) => integer(text, 0, 86_400_000),
    show: ({ shutdownGraceMs }) => String(shutdownGraceMs),
  },
  retentionDays: {
    variable: 'RETENTION_DAYS',
    meaning: 'finished tasks older than this go',
    byDefault: '30',
    fallback: 30,
    parse: (text) => integer(text, 1, 36_500),
    show: ({ retentionDays }) => String(retentionDays),
  },
  webhookSecrets: {
    variable: 'WEBHOOK_SECRET',
    meaning:
      'what webhooks are signed with; two with a comma between them while one takes the place of the other',
    byDefault: 'none: webhooks are not signed',
    fallback: [],
    parse: (text) => list(text).map(secret),
    show: ({ webhookSecrets }) => webhookSecrets.map(() => '***').join(','),
  },
  webhookAllowPrivate: {
    variable: 'WEBHOOK_ALLOW_PRIVATE',
    meaning: 'whether webhooks may go to private, link-local and loopback addresses: true or false',
    byDefault: 'false',
    fallback: false,
    parse: (text) => oneOf(['true', 'false'], text) === 'true',
    show: ({ webhookAllowPrivate }) => String(webhookAllowPrivate),
  },
  logLevel: {
    variable: 'LOG_LEVEL',
    meaning: `the least that is logged: ${logLevels.join(', ')}`,
    byDefault: 'info',
    fallback: 'info',
    parse: (text) => oneOf(logLevels, text),
    show: ({ logLevel }) => logLevel,
  },
  logFormat: {
    variable: 'LOG_FORMAT',
    meaning: 'pretty or json',
    byDefault: 'pretty on a terminal, json otherwise',
    fallback: 'json',
    parse: (text) => oneOf(logFormats, text),
    show: ({ logFormat }) => logFormat,
  },
} satisfies { [Key in keyof Config]-?: Setting<Config[Key]> }

function databaseUrl(text: string): string {
  if (!/^postgres(ql)?:\/\//i.test(text)) {
    throw new SettingProblem('must begin with postgres:// or postgresql://')
  }
  // A host may be left out before a database (a Unix socket), which URL does not know.
  if (!URL.canParse(text.replace('@/', '@localhost/'))) {
    throw new SettingProblem(
      'is no valid address, such as postgres://user:password@host:5432/database (percent-encode special characters)',
    )
  }
  return text
}

function amqpUrl(text: string): string {
  if (!/^amqps?:\/\//i.test(text))
    throw new SettingProblem('must begin with amqp:// or amqps://, each of its addresses')
  if (!URL.canParse(text)) {
    throw new SettingProblem(
      'holds an invalid address; write amqp://user:password@host:5672 (percent-encode special characters, commas included)',
    )
  }
  return text
}

function host(text: string): string {
  const name = text.replace(/^\[(.*)\]$/, '$1')
  if (!/^[A-Za-z0-9.:%_-]+$/.test(name)) {
    throw new SettingProblem(`must be a host name or an IP address without a port, not "${text}"`)
  }
  return name
}

function apiKey(text: string, index: number): string {
  return printable(text, `key ${index + 1}`)
}

function secret(text: string, index: number): string {
  return printable(text, `secret ${index + 1}`)
}

function printable(text: string, which: string): string {
  if (/^[!-~]+$/.test(text)) return text
  throw new SettingProblem(`may hold printable ASCII without spaces only: ${which} has something else`)
}

function queueName(text: string): string {
  if (/^[A-Za-z0-9._:/-]{1,128}$/.test(text)) return text
  throw new SettingProblem(`holds "${text}"; a queue's name is 1 to 128 of A-Z a-z 0-9 . _ : / -`)
}

function integer(text: string, least: number, most: number): number {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (number >= least && number <= most) return number
  throw new SettingProblem(`must be a whole number from ${least} to ${most}, not "${text}"`)
}

function oneOf<const Word extends string>(words: readonly Word[], text: string): Word {
  const word = words.find((word) => word === text.toLowerCase())
  if (word) return word
  throw new SettingProblem(`must be one of ${words.join(', ')}, not "${text}"`)
}

function list(text: string): string[] {
  const items = text.split(',').map((item) => item.trim())
  const filled = items.filter((item) => item !== '')
  if (filled.length === 0) throw new SettingProblem('holds only commas')
  return [...new Set(filled)]
}

/** The address with `***` for the password, whether it stands before the host or in the query. */
export function withoutPassword(url: string): string {
  return url
    .replace(/^([a-z]+:\/\/[^:/?#]*):[^/?#]*@/i, '$1:***@')
    .replace(/([?&](?:ssl)?password=)[^&#]*/gi, '$1***')
}
