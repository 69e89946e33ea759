import { useNavigate } from '@tanstack/react-router'
import { useMemo } from 'react'
import type { History } from '../../../../src/client/index.ts'
import { Button, buttonClass } from '../../ui/button.tsx'
import { Chart, type ChartSeries } from '../../ui/chart.tsx'
import { classNames } from '../../ui/class-names.ts'
import { duration, rate, timeOfDay } from '../../ui/format.ts'
import { Section } from '../../ui/page.tsx'
import { QueryState } from '../../ui/query-state.tsx'
import { type Point, type Range, ranges, type Span, secondsOf, useHistory, useSpan } from './history.ts'
import styles from './overview.module.css'

/** Throughput by outcome, and how long tasks waited and ran, over a span that can be dragged out. */
export function Trends() {
  const span = useSpan()
  const history = useHistory(span)
  const navigate = useNavigate()
  const zoom = (fromMs: number, toMs: number) => {
    const [from, to] = [fromMs, toMs].map((ms) => new Date(ms).toISOString())
    void navigate({ to: '/', search: { from: from!, to: to! }, resetScroll: false })
  }
  return (
    <Section title="Trends" aside={<SpanChoice span={span} />}>
      <QueryState query={history} what="The history">
        {(data) => <Charts history={data} zoom={zoom} />}
      </QueryState>
    </Section>
  )
}

function SpanChoice({ span }: { span: Span }) {
  const navigate = useNavigate()
  const choose = (range: Range) => void navigate({ to: '/', search: { range }, resetScroll: false })
  const chosen = 'range' in span ? span.range : undefined
  return (
    <div className={styles.spans}>
      {'from' in span && (
        <Button small look="quiet" icon="close" onClick={() => choose('1h')}>
          {timeOfDay(span.from)} – {timeOfDay(span.to)}
        </Button>
      )}
      <fieldset className={styles.segments}>
        <legend>Span of the charts</legend>
        {ranges.map((range) => (
          <button
            key={range}
            type="button"
            aria-pressed={range === chosen}
            className={classNames(buttonClass('quiet', true), styles.segment)}
            onClick={() => choose(range)}
          >
            {words[range]}
          </button>
        ))}
      </fieldset>
    </div>
  )
}

const words: Record<Range, string> = { '15m': '15 min', '1h': '1 h', '24h': '24 h', '7d': '7 d' }

function Charts({ history, zoom }: { history: History; zoom: (fromMs: number, toMs: number) => void }) {
  const { at, outcomes, waiting, running } = useMemo(() => seriesOf(history), [history])
  return (
    <div className={styles.charts}>
      <div className={styles.wide}>
        <Chart title="Throughput" at={at} series={outcomes} format={rate} onZoom={zoom} />
      </div>
      <Chart title="Waiting time" at={at} series={waiting} format={duration} onZoom={zoom} heightPx={160} />
      <Chart title="Running time" at={at} series={running} format={duration} onZoom={zoom} heightPx={160} />
    </div>
  )
}

function seriesOf({ points, stepMs }: History) {
  const perSecond = (of: (point: Point) => number) =>
    points.map((point) => of(point) / secondsOf(point.at, stepMs))
  return {
    at: points.map(({ at }) => Date.parse(at)),
    outcomes: [
      { label: 'completed', color: '--good', values: perSecond(({ completed }) => completed), fill: true },
      { label: 'failed', color: '--bad', values: perSecond(({ failed }) => failed) },
      { label: 'canceled', color: '--text-3', values: perSecond(({ canceled }) => canceled) },
    ] satisfies ChartSeries[],
    waiting: percentiles(points, 'waitingMs'),
    running: percentiles(points, 'runningMs'),
  }
}

function percentiles(points: readonly Point[], of: 'waitingMs' | 'runningMs'): ChartSeries[] {
  return [
    { label: 'p50', color: '--accent', values: points.map((point) => point[of]?.p50 ?? null) },
    { label: 'p95', color: '--warn', values: points.map((point) => point[of]?.p95 ?? null) },
    { label: 'p99', color: '--bad', values: points.map((point) => point[of]?.p99 ?? null) },
  ]
}
