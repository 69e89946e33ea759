import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { readConfig } from '../../src/runtime/config.ts'
import { deploy, environmentIn, manifest, textOf, variables } from './files.ts'

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
  read_only?: boolean
  tmpfs?: string[]
  cap_drop?: string[]
  profiles?: string[]
  security_opt?: string[]
}
type Compose = { services: Record<string, Service>; volumes: Record<string, unknown> }

const { services, volumes }: Compose = parse(textOf('compose.yaml'), { merge: true })
const ours = ['api', 'worker'] as const
const theirs = ['postgres', 'rabbitmq'] as const
const observers = ['prometheus', 'grafana'] as const

test('there are the four services, and two more with the profile', () => {
  assert.deepEqual(Object.keys(services).sort(), [...ours, ...theirs, ...observers].sort())
  for (const [name, { profiles }] of Object.entries(services))
    assert.deepEqual(
      profiles,
      observers.some((observer) => observer === name) ? ['observability'] : undefined,
    )
})

test('images have a version, down to the patch', () => {
  for (const name of [...theirs, ...observers])
    assert.match(services[name]?.image ?? '', /:v?\d+\.\d+(\.\d+)?(-\w+)?$/)
  for (const name of ours) assert.ok(services[name]?.image?.endsWith(`millrace-${name}:${manifest.version}}`))
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

test('every variable of ours is a setting, and all of them can be used', () => {
  for (const name of ours) {
    const env = environmentOf(name)
    assert.ok(Object.keys(env).length > 5)
    assert.deepEqual(
      Object.keys(env).filter((variable) => !variables.includes(variable)),
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
  const grafana = environmentOf('grafana').GF_SECURITY_ADMIN_PASSWORD ?? ''
  for (const secret of [database.password, broker.password, app.API_KEYS ?? '', grafana])
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

test('what needs no more may change nothing and become nobody else', () => {
  for (const name of [...ours, ...observers]) {
    const { read_only: readOnly, tmpfs, cap_drop: dropped, security_opt: options } = services[name] ?? {}
    assert.deepEqual([readOnly, tmpfs, dropped], [true, ['/tmp'], ['ALL']], name)
    assert.ok(options?.includes('no-new-privileges:true'), name)
  }
  for (const name of theirs) assert.ok(services[name]?.security_opt?.includes('no-new-privileges:true'), name)
})

test('what is to be kept is in volumes with a name, and what is mounted is read-only', () => {
  for (const volume of Object.values(services).flatMap((service) => service.volumes ?? [])) {
    const [source = ''] = volume.split(/:(?=\/)/)
    if (!Object.keys(volumes).includes(source)) assert.match(volume, /:ro$/)
  }
  for (const name of [...theirs, ...observers])
    assert.ok(
      services[name]?.volumes?.some((volume) => volume.startsWith(`${name}:`)),
      name,
    )
})

test('there is no password but in the environment files', () => {
  assert.doesNotMatch(textOf('compose.yaml'), /change-this|password\s*[:=]/i)
})

test('docker-compose understands it', (t) => {
  const file = join(deploy, 'compose.yaml')
  const { error, status, stderr } = spawnSync(
    'docker-compose',
    ['-f', file, '--profile', 'observability', 'config', '-q'],
    {
      encoding: 'utf8',
    },
  )
  if (error) return t.skip('no docker-compose here')
  assert.equal(status, 0, stderr)
})

function environmentOf(name: string): Record<string, string> {
  const { env_file: file, environment = {} } = services[name] ?? {}
  return { ...(file === undefined ? {} : environmentIn(file)), ...environment }
}
