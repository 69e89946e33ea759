import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { basename } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { codeIn, tableOf, textOf as textOfPage } from '../docs/pages.ts'
import { deploy, environmentIn, textOf } from './files.ts'

type Rule = { alert: string; expr: string; annotations: { summary: string; runbook_url: string } }
type Panel = { id: number; targets: { expr: string }[] }

type Scraped = {
  rule_files: string[]
  scrape_configs: {
    authorization?: { credentials_file: string }
    static_configs: { targets: string[] }[]
  }[]
}

const scraped: Scraped = parse(textOf('prometheus/prometheus.yaml'))
const rules: Rule[] = parse(textOf('prometheus/alerts.yaml')).groups.flatMap(
  ({ rules }: { rules: Rule[] }) => rules,
)
const boards: { uid: string; panels: Panel[] }[] = globSync('grafana/dashboards/*.json', { cwd: deploy }).map(
  (file) => JSON.parse(textOf(file)),
)
const { services, secrets } = parse(textOf('compose.yaml'), { merge: true })

test('Prometheus reads the metrics of services that there are', () => {
  const targets = scraped.scrape_configs.flatMap((job) =>
    job.static_configs.flatMap(({ targets }) => targets),
  )
  assert.deepEqual(targets, ['api:8000', 'rabbitmq:15692'])
  for (const target of targets) assert.ok(target.split(':')[0]! in services, target)
})

test('Prometheus has a key that the API takes, and that says that it is to be changed', () => {
  const [name] = services.prometheus.secrets
  assert.equal(scraped.scrape_configs[0]?.authorization?.credentials_file, `/run/secrets/${name}`)
  const key = textOf(secrets[name].file).trim()
  assert.match(key, /^change-this-/)
  assert.ok(environmentIn('.env.app').API_KEYS?.split(',').includes(key))
})

test('what the two are told to read is mounted where they look', () => {
  const mounts = (name: string): string[] => services[name].volumes
  assert.ok(mounts('prometheus').includes('./prometheus:/etc/prometheus:ro'))
  for (const file of scraped.rule_files) assert.equal(textOf(`prometheus/${basename(file)}`).length > 0, true)
  const [provider] = parse(textOf('grafana/dashboards/millrace.yaml')).providers
  assert.ok(mounts('grafana').includes('./grafana:/etc/grafana/provisioning:ro'))
  assert.equal(provider.options.path, '/etc/grafana/provisioning/dashboards')
  const [source] = parse(textOf('grafana/datasources/prometheus.yaml')).datasources
  assert.equal(source.url, 'http://prometheus:9090')
  assert.match(JSON.stringify(boards), new RegExp(`"uid":"${source.uid}"`))
})

test('alerts and dashboards are made of metrics that there are', () => {
  const headings = ['## Of the installation', '## Of the process']
  const rows = headings.flatMap((heading) => tableOf('docs/metrics.md', ['metric', 'labels', ''], heading))
  const known = rows.flatMap(([metric]) => codeIn(metric ?? ''))
  const expressions = [
    ...rules.map(({ expr }) => expr),
    ...boards.flatMap(({ panels }) => panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))),
  ]
  assert.ok(expressions.length > 20)
  const named = expressions.flatMap((expr) => expr.match(/\b(millrace|process)_[a-z_]+/g) ?? [])
  const unknown = named.filter((name) => !known.includes(name.replace(/_(bucket|count|sum)$/, '')))
  assert.deepEqual(unknown, [])
})

test('there is a page for each alert, and no alert without one', () => {
  const headings = textOfPage('docs/alerts.md')
    .match(/^## .+$/gm)
    ?.map((line) => line.slice(3))
  assert.deepEqual(
    headings,
    rules.map(({ alert }) => alert),
  )
  for (const { alert, annotations } of rules)
    assert.equal(annotations.runbook_url, `docs/alerts.md#${alert.toLowerCase()}`)
})

test('each dashboard has a name of its own, and each panel a number', () => {
  assert.equal(new Set(boards.map(({ uid }) => uid)).size, 2)
  for (const { panels } of boards) assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
})
