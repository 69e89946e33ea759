import type { Distribution, Labels, Metric } from '../domain/metric.ts'

export const prometheusType = 'text/plain; version=0.0.4; charset=utf-8'

/** Metrics in the text format of Prometheus. What nobody has counted yet is described, and has no values. */
export function prometheusText(metrics: readonly Metric[]): string {
  return metrics.map(familyText).join('')
}

function familyText(metric: Metric): string {
  const { name, help, kind } = metric
  const head = `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${kind}\n`
  if (metric.kind === 'histogram') return head + metric.samples.map((one) => bucketLines(name, one)).join('')
  return head + metric.samples.map(({ labels, value }) => line(name, labels, value)).join('')
}

function bucketLines(name: string, { labels, buckets, count, sum }: Distribution): string {
  const bounds = [...buckets, { upTo: Number.POSITIVE_INFINITY, count }]
  const lines = bounds.map(({ upTo, count }) =>
    line(`${name}_bucket`, { ...labels, le: numberText(upTo) }, count),
  )
  return `${lines.join('')}${line(`${name}_sum`, labels, sum)}${line(`${name}_count`, labels, count)}`
}

function line(name: string, labels: Labels | undefined, value: number): string {
  const pairs = Object.entries(labels ?? {}).map(([label, text]) => `${label}="${escaped(text)}"`)
  return `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${numberText(value)}\n`
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

function numberText(value: number): string {
  return value === Number.POSITIVE_INFINITY ? '+Inf' : String(value)
}
