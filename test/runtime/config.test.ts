import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ConfigError, describeConfig, type Environment, readConfig } from '../../src/runtime/config.ts'
import { settings, withoutPassword } from '../../src/runtime/settings.ts'

const problemsOf = (env: Environment, options: Parameters<typeof readConfig>[1] = {}) => {
  try {
    readConfig(env, options)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

describe('settings', () => {
  it('have their documented defaults in an empty environment', () => {
    assert.deepEqual(readConfig({}, { isTerminal: false }), {
      amqpUrls: [],
      dataDir: resolve('.millrace'),
      host: '127.0.0.1',
      port: 8000,
      apiKeys: [],
      queues: ['default'],
      concurrency: 1000,
      shutdownGraceMs: 30_000,
      retentionDays: 30,
      webhookSecrets: [],
      webhookAllowPrivate: false,
      logLevel: 'info',
      logFormat: 'json',
    })
  })

  it('are read from their variables', () => {
    const config = readConfig({
      DATABASE_URL: 'postgresql://u:p@db:5432/x',
      AMQP_URL: 'amqp://a:5672, amqps://b',
      DATA_DIR: '/var/lib/mill',
      HOST: '[::1]',
      PORT: '0',
      API_KEYS: 'one,two',
      TASKS: './tasks',
      QUEUES: 'mail, images/large',
      CONCURRENCY: '10',
      SHUTDOWN_GRACE_MS: '0',
      RETENTION_DAYS: '7',
      WEBHOOK_SECRET: 'new, old',
      WEBHOOK_ALLOW_PRIVATE: 'TRUE',
      LOG_LEVEL: 'DEBUG',
      LOG_FORMAT: 'pretty',
    })
    assert.deepEqual(config, {
      databaseUrl: 'postgresql://u:p@db:5432/x',
      amqpUrls: ['amqp://a:5672', 'amqps://b'],
      dataDir: '/var/lib/mill',
      host: '::1',
      port: 0,
      apiKeys: ['one', 'two'],
      tasks: './tasks',
      queues: ['mail', 'images/large'],
      concurrency: 10,
      shutdownGraceMs: 0,
      retentionDays: 7,
      webhookSecrets: ['new', 'old'],
      webhookAllowPrivate: true,
      logLevel: 'debug',
      logFormat: 'pretty',
    })
  })

  it('are at their defaults when they are set to nothing', () => {
    const nothing = Object.fromEntries(Object.values(settings).map(({ variable }) => [variable, '  ']))
    assert.deepEqual(readConfig(nothing), readConfig({}))
  })

  it('are refused with every problem at once, each beginning with the name of its variable', () => {
    const problems = problemsOf({
      DATABASE_URL: 'mysql://h/db',
      AMQP_URL: 'amqp://ok,http://h',
      PORT: '65536',
      API_KEYS: 'with space',
      QUEUES: 'a b',
      CONCURRENCY: '1e3',
      SHUTDOWN_GRACE_MS: '-1',
      RETENTION_DAYS: '0',
      WEBHOOK_SECRET: 'a b',
      WEBHOOK_ALLOW_PRIVATE: 'maybe',
      LOG_LEVEL: 'loud',
      LOG_FORMAT: 'xml',
      HOST: 'h:80/x',
    })
    assert.deepEqual(problems.map((problem) => problem.split(' ')[0]).sort(), [
      'AMQP_URL',
      'API_KEYS',
      'CONCURRENCY',
      'DATABASE_URL',
      'HOST',
      'LOG_FORMAT',
      'LOG_LEVEL',
      'PORT',
      'QUEUES',
      'RETENTION_DAYS',
      'SHUTDOWN_GRACE_MS',
      'WEBHOOK_ALLOW_PRIVATE',
      'WEBHOOK_SECRET',
    ])
  })

  it('cannot be changed once they are read', () => {
    const config = readConfig({ QUEUES: 'a' })
    assert.ok(Object.isFrozen(config))
    assert.ok(
      Object.isFrozen(config.queues) && Object.isFrozen(config.apiKeys) && Object.isFrozen(config.amqpUrls),
    )
  })

  it('choose the pretty log on a terminal and JSON elsewhere', () => {
    assert.equal(readConfig({}, { isTerminal: true }).logFormat, 'pretty')
    assert.equal(readConfig({ LOG_FORMAT: 'json' }, { isTerminal: true }).logFormat, 'json')
  })

  it('take a database address without a host, as for a Unix socket', () => {
    assert.deepEqual(problemsOf({ DATABASE_URL: 'postgres://u@/db?host=/run/postgresql' }), [])
  })

  it('refuse an address that cannot be parsed without repeating its password', () => {
    const [problem] = problemsOf({ DATABASE_URL: 'postgres://u:hush/hush@h/db' })
    assert.match(problem!, /^DATABASE_URL is no valid address/)
    assert.doesNotMatch(problem!, /hush/)
  })
})

describe('listening beyond loopback', () => {
  for (const host of [
    '0.0.0.0',
    '::',
    '10.0.0.4',
    'example.org',
    '127.0.0.1.example.org',
    'localhost.example.org',
  ]) {
    it(`is refused on ${host} without API_KEYS`, () => {
      const [problem] = problemsOf({ HOST: host }, { listens: true })
      assert.match(problem!, /API_KEYS/)
      assert.deepEqual(problemsOf({ HOST: host, API_KEYS: 'k' }, { listens: true }), [])
    })
  }

  for (const host of ['127.0.0.1', '127.8.8.8', 'localhost', 'LOCALHOST', '::1', '[::1]']) {
    it(`is not what ${host} means`, () => assert.deepEqual(problemsOf({ HOST: host }, { listens: true }), []))
  }

  it('does not concern a process that does not listen', () =>
    assert.deepEqual(problemsOf({ HOST: '0.0.0.0' }), []))
})

describe('a description of the settings', () => {
  it('says where each value came from and masks secrets', () => {
    const env = {
      DATABASE_URL: 'postgres://u:hush@h/db',
      AMQP_URL: 'amqp://u:hush@h',
      API_KEYS: 'hush,hush2',
      PORT: ' ',
    }
    const report = describeConfig(readConfig(env), env)
    const bySetting = Object.fromEntries(
      report.map(({ variable, value, source }) => [variable, `${source} ${value}`]),
    )
    assert.equal(bySetting.DATABASE_URL, 'env postgres://u:***@h/db')
    assert.equal(bySetting.AMQP_URL, 'env amqp://u:***@h')
    assert.equal(bySetting.API_KEYS, 'env ***,***')
    assert.equal(bySetting.PORT, 'default 8000')
    assert.doesNotMatch(JSON.stringify(report), /hush/)
    assert.equal(report.length, Object.keys(settings).length)
  })

  it('never shows a password, whatever it is made of', () => {
    const password = fc.stringMatching(/^[A-Za-z0-9@:%!$&'()*+,;=._~-]{6,20}$/).map((text) => `PASS${text}`)
    fc.assert(
      fc.property(password, (secret) => {
        const masked = withoutPassword(
          `postgres://user:${secret}@host:5432/db?sslpassword=${encodeURIComponent(secret)}&x=1`,
        )
        return masked === 'postgres://user:***@host:5432/db?sslpassword=***&x=1'
      }),
    )
  })
})
