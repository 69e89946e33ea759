import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { test } from 'node:test'
import { Check } from 'typebox/schema'
import { parse } from 'yaml'
import { deploy, manifest, textOf, variables } from './files.ts'

// What can be known of the chart without helm. `npm run check:helm` renders it.

const chart = 'helm/millrace'
const values = parse(textOf(`${chart}/values.yaml`))
const schema = JSON.parse(textOf(`${chart}/values.schema.json`))
const templates = globSync(`${chart}/templates/*`, { cwd: deploy }).map((file) => textOf(file))

test('the chart is of this version, and so are the images that it names', () => {
  const { version, appVersion } = parse(textOf(`${chart}/Chart.yaml`))
  assert.deepEqual([version, appVersion], [manifest.version, manifest.version])
  for (const { image } of [values.api, values.worker]) assert.deepEqual([image.tag, image.digest], ['', ''])
})

test('every variable that a pod gets is a setting', () => {
  const text = templates.join('\n')
  const named = [
    ...[...text.matchAll(/- name: ([A-Z_]+)$/gm)].map(([, name]) => name!),
    ...[...text.matchAll(/"variable" "(\w+)"/g)].map(([, name]) => name!),
  ]
  assert.ok(named.length > 10)
  assert.deepEqual(
    named.filter((name) => !variables.includes(name)),
    [],
  )
})

test('the schema takes the defaults, once they name a secret, and not what nobody knows', () => {
  const named: object = { ...values, secret: { ...values.secret, name: 'millrace' } }
  assert.ok(Check(schema, named))
  assert.ok(!Check(schema, values), 'no secret')
  assert.ok(!Check(schema, { ...named, replicas: 3 }), 'unknown')
  assert.ok(!Check(schema, { ...named, workerPools: { mail: { queus: ['mail'] } } }), 'unknown, in a pool')
  assert.ok(!Check(schema, { ...named, workerPools: { mail: { queues: ['no such name'] } } }), 'no queue')
})

test('the schema knows all that has a default, and nothing else', () => {
  const unknown = (value: unknown, { properties }: { properties?: object }, path: string): string[] => {
    if (!properties || typeof value !== 'object' || value === null) return []
    const paths = [...new Set([...Object.keys(value), ...Object.keys(properties)])]
    return paths.flatMap((key) => {
      const inner = (properties as Record<string, { $ref?: string }>)[key]
      if (!inner || !(key in value)) return key === 'global' ? [] : [`${path}${key}`]
      const resolved = inner.$ref ? schema.$defs[inner.$ref.replace('#/$defs/', '')] : inner
      return unknown((value as Record<string, unknown>)[key], resolved, `${path}${key}.`)
    })
  }
  assert.deepEqual(unknown(values, schema, ''), [])
})

test('there is no password in it', () => {
  const texts = [textOf(`${chart}/values.yaml`), ...templates]
  for (const text of texts) assert.doesNotMatch(text, /kind: Secret$|password:|postgres:\/\/|amqp:\/\//m)
  assert.equal(values.secret.name, '')
})
