import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readConfig } from '../../src/runtime/config.ts'
import { environmentIn, textOf, variables } from './files.ts'

const units = { api: 'millrace-api.service', worker: 'millrace-worker@.service' } as const
const margins = { api: 5, worker: 10 }
const env = environmentIn('systemd/.env.millrace')

test('every variable of the environment file is a setting, and all of them can be used', () => {
  assert.ok(Object.keys(env).length > 5)
  assert.deepEqual(
    Object.keys(env).filter((variable) => !variables.includes(variable)),
    [],
  )
  assert.doesNotThrow(() => readConfig(env, { listens: true }))
  for (const secret of [new URL(env.DATABASE_URL ?? '').password, env.API_KEYS ?? ''])
    assert.match(secret, /^change-this-/)
})

for (const [command, file] of Object.entries(units) as [keyof typeof units, string][]) {
  const lines = textOf(`systemd/${file}`).split('\n')
  const settingsOf = (name: string) =>
    lines.filter((line) => line.startsWith(`${name}=`)).map((line) => line.slice(name.length + 1))

  test(`${file} runs millrace ${command}, as a user that may change nothing`, () => {
    assert.deepEqual(settingsOf('ExecStart'), [`/usr/bin/node src/cli/main.ts ${command}`])
    assert.deepEqual(settingsOf('DynamicUser'), ['yes'])
    assert.deepEqual(settingsOf('ProtectSystem'), ['strict'])
    assert.deepEqual(settingsOf('CapabilityBoundingSet'), [''])
    const given = settingsOf('Environment')
      .flatMap((line) => line.split(' '))
      .map((pair) => pair.split('=')[0]!)
    assert.deepEqual(
      given.filter((variable) => ![...variables, 'NODE_ENV'].includes(variable)),
      [],
    )
  })

  test(`${file} waits for a stop for longer than it may take`, () => {
    const { shutdownGraceMs } = readConfig(env)
    const waitSeconds = Number(settingsOf('TimeoutStopSec')[0])
    assert.ok(waitSeconds > shutdownGraceMs / 1000 + margins[command], `${waitSeconds} s`)
  })
}
