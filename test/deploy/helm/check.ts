import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { readConfig } from '../../../src/runtime/config.ts'
import { deploy, variables } from '../files.ts'
import { bringHelm, bringModels } from './bring-helm.ts'
import type { Pod, Resource } from './resources.ts'

// What `npm run check:helm` runs: renders the chart with each of its examples of values, and looks at what comes out.

const chart = join(deploy, 'helm/millrace')
const root = join(deploy, '..')
const { helm, models } = bringAll()
const examples = globSync('ci/*-values.yaml', { cwd: chart }).sort()
const secrets = {
  DATABASE_URL: 'postgres://a:b@c/d',
  AMQP_URL: 'amqp://a:b@c',
  API_KEYS: 'key',
  WEBHOOK_SECRET: 'secret',
}

for (const example of examples) {
  const name = basename(example, '-values.yaml')
  const file = join(chart, example)

  test(`${name}: helm finds nothing wrong`, () => {
    const { status, stdout, stderr } = run(['lint', '--strict', chart, '--values', file])
    assert.equal(status, 0, stdout + stderr)
  })

  test(`${name}: Kubernetes knows every field, and misses none`, () => {
    const wrong = typeErrors(name, resources(file))
    assert.equal(wrong, '')
  })

  test(`${name}: pods run restricted, from images with a version, and stop in time`, () => {
    for (const { name, component, pod } of podsOf(resources(file))) {
      const [container] = pod.containers
      assert.equal(pod.securityContext.runAsNonRoot, true, name)
      assert.equal(pod.automountServiceAccountToken, false, name)
      assert.deepEqual(
        container.securityContext,
        { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
        name,
      )
      assert.match(container.image, /(:\d+\.\d+\.\d+|@sha256:[0-9a-f]{64})$/)
      const { shutdownGraceMs } = readConfig(environmentOf(pod), { listens: component === 'api' })
      if (component === 'migrate') continue
      const beyond = component === 'api' ? 5 + (container.lifecycle?.preStop.sleep.seconds ?? 0) : 10
      assert.ok(pod.terminationGracePeriodSeconds! > shutdownGraceMs / 1000 + beyond, name)
      assert.ok(container.readinessProbe, name)
    }
  })

  test(`${name}: every variable is a setting, and given once`, () => {
    for (const { name, pod } of podsOf(resources(file))) {
      const given = pod.containers[0].env.map((variable) => variable.name)
      assert.deepEqual(given, [...new Set(given)], name)
      const others = given.filter((variable) => !variables.includes(variable))
      assert.deepEqual(
        others.filter((variable) => variable !== 'NODE_EXTRA_CA_CERTS'),
        [],
        name,
      )
    }
  })

  test(`${name}: what chooses pods or a deployment finds them`, () => {
    const all = resources(file)
    const labels = podsOf(all).map(({ labels }) => labels)
    for (const { kind, spec } of all) {
      const chosen = kind === 'Service' ? spec.selector : spec.selector?.matchLabels
      if (!chosen) continue
      const fits = (labels: Record<string, string>) =>
        Object.entries(chosen).every(([label, value]) => labels[label] === value)
      assert.equal(labels.filter(fits).length, 1, kind)
    }
    const deployments = all.filter(({ kind }) => kind === 'Deployment').map(({ metadata }) => metadata.name)
    const targets = all.flatMap(({ spec }) => spec.scaleTargetRef?.name ?? [])
    assert.deepEqual(
      targets.filter((target) => !deployments.includes(target)),
      [],
    )
  })
}

test('there is a budget for every deployment, and a migration before them all', () => {
  const all = resources(join(chart, 'ci/keda-values.yaml'))
  const namesOf = (wanted: string) =>
    all.filter(({ kind }) => kind === wanted).map(({ metadata }) => metadata.name)
  assert.deepEqual(namesOf('PodDisruptionBudget').sort(), namesOf('Deployment').sort())
  const [migrate] = all.filter(({ kind }) => kind === 'Job')
  assert.equal(migrate?.metadata.annotations?.['helm.sh/hook'], 'pre-install,pre-upgrade')
  assert.deepEqual(
    ['ScaledObject', 'TriggerAuthentication', 'ServiceMonitor', 'Ingress'].map(
      (kind) => namesOf(kind).length,
    ),
    [2, 1, 1, 1],
  )
})

test('who scales has the say about the number of workers', () => {
  for (const [example, number] of [
    ['plain', 2],
    ['keda', undefined],
  ] as const) {
    const all = resources(join(chart, `ci/${example}-values.yaml`))
    const workers = all.filter(
      ({ kind, metadata }) => kind === 'Deployment' && metadata.name.includes('worker'),
    )
    assert.ok(workers.length > 0)
    for (const { spec } of workers) assert.equal(spec.replicas, number)
  }
})

for (const [what, set, says] of [
  ['no secret', 'secret.name=', 'secret/name'],
  ['a misspelt value', 'worker.concurency=1', 'concurency'],
  ['an ingress without a host', 'ingress.enabled=true', 'ingress/host'],
  ['KEDA without a key', 'worker.autoscaling.by=keda', 'monitoringKey'],
  ['metrics without a key', 'serviceMonitor.enabled=true', 'monitoringKey'],
  ['a queue that none can be called', 'worker.queues={a b}', 'queues'],
] as const) {
  test(`${what} is refused`, () => {
    const { status, stderr } = run(['template', 'm', chart, '--set', `secret.name=s,${set}`])
    assert.equal(status, 1)
    assert.ok(stderr.includes(says), stderr)
  })
}

/** Without its tools it says so, and ends with a code of its own: that is no fault of the chart's. */
function bringAll() {
  try {
    return { helm: bringHelm(), models: bringModels() }
  } catch (error) {
    console.error(`the chart is not checked: ${error instanceof Error ? error.message : error}`)
    process.exit(69)
  }
}

function run(args: string[]) {
  return spawnSync(helm, args, { encoding: 'utf8' })
}

function resources(file: string): Resource[] {
  const { status, stdout, stderr } = run(['template', 'm', chart, '--namespace', 'tasks', '--values', file])
  assert.equal(status, 0, stderr)
  // A key that stands twice is an error of the parser's.
  return parseAllDocuments(stdout).map((document) => {
    assert.deepEqual(document.errors, [])
    return document.toJS()
  })
}

type Found = { name: string; component: string; labels: Record<string, string>; pod: Pod }

function podsOf(all: Resource[]): Found[] {
  return all.flatMap(({ metadata: { name }, spec: { template } }) => {
    if (!template) return []
    const { labels } = template.metadata
    return { name, labels, component: labels['app.kubernetes.io/component']!, pod: template.spec }
  })
}

function environmentOf(pod: Pod): Record<string, string> {
  const pairs = pod.containers[0].env.map(({ name, value }) => [
    name,
    value ?? secrets[name as keyof typeof secrets],
  ])
  return Object.fromEntries(pairs)
}

/** What the compiler says when each is declared to be what it claims: unknown fields, missing ones, wrong types. */
function typeErrors(name: string, all: Resource[]): string {
  const folder = join(models, `rendered-${name}`)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  const files = all.map(({ apiVersion, kind, ...rest }, i) => {
    const file = join(folder, `${i}-${kind}.ts`)
    const from = `${packageOf(apiVersion)}/${apiVersion}`.replace(/\/$/, '')
    const text = JSON.stringify({ apiVersion, kind, ...rest }, null, 2)
    writeFileSync(file, `import type { I${kind} } from '${from}'\nexport const it: I${kind} = ${text}\n`)
    return file
  })
  const options =
    '--ignoreConfig --noEmit --strict --skipLibCheck --target es2024 --module esnext --moduleResolution bundler'
  const { status, stdout } = spawnSync(
    join(root, 'node_modules/.bin/tsc'),
    [...options.split(' '), ...files],
    {
      encoding: 'utf8',
    },
  )
  return status === 0 ? '' : stdout
}

function packageOf(apiVersion: string): string {
  if (apiVersion.startsWith('keda.sh/')) return '@kubernetes-models/keda'
  if (apiVersion.startsWith('monitoring.coreos.com/')) return '@kubernetes-models/prometheus-operator'
  return 'kubernetes-models'
}
