import { useEffect, useLayoutEffect, useRef, useState } from 'react'
import UPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import styles from './chart.module.css'
import { timeOfDay } from './format.ts'
import { useWidth } from './use-width.ts'

export type ChartSeries = {
  label: string
  /** A color of the tokens, such as `--good`. */
  color: string
  /** Null where there is nothing to show. */
  values: readonly (number | null)[]
  fill?: boolean
}

type ChartProps = {
  title: string
  /** Instants in milliseconds. */
  at: readonly number[]
  series: readonly ChartSeries[]
  format: (value: number) => string
  /** Dragging over a part of the chart asks for it. */
  onZoom?: ((fromMs: number, toMs: number) => void) | undefined
  heightPx?: number
}

/** Values over time. The legend shows those under the pointer, or the last ones. */
export function Chart({ title, at, series, format, onZoom, heightPx = 190 }: ChartProps) {
  const frame = useRef<HTMLDivElement>(null)
  const width = useWidth(frame)
  const [pointed, point] = useState<number | null>(null)
  const index = pointed ?? at.length - 1
  return (
    <figure className={styles.chart} aria-label={summaryOf(title, series, format)}>
      <figcaption className={styles.caption}>
        <span className={styles.title}>{title}</span>
        <span className={styles.legend}>
          {series.map(({ label, color, values }) => (
            <span key={label} className={styles.entry}>
              <span className={styles.swatch} style={{ background: `var(${color})` }} />
              {label}
              <b>{values[index] == null ? '–' : format(values[index])}</b>
            </span>
          ))}
          {pointed !== null && at[pointed] !== undefined && (
            <span className={styles.when}>{timeOfDay(at[pointed])}</span>
          )}
        </span>
      </figcaption>
      <div ref={frame} className={styles.frame} style={{ height: heightPx }}>
        {width > 0 && <Plot {...{ at, series, format, onZoom, heightPx, width, point }} />}
      </div>
    </figure>
  )
}

type PlotProps = Pick<ChartProps, 'at' | 'series' | 'format' | 'onZoom'> & {
  width: number
  heightPx: number
  point: (index: number | null) => void
}

function Plot({ at, series, format, onZoom, width, heightPx, point }: PlotProps) {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<UPlot | null>(null)
  const scheme = useScheme()
  // The callbacks of the latest render, without a new plot for each.
  const latest = useRef({ onZoom, point, format })
  latest.current = { onZoom, point, format }
  const shape = series.map(({ label, color, fill }) => `${label} ${color} ${fill}`).join()

  // biome-ignore lint/correctness/useExhaustiveDependencies: size and data are set on the plot that is there
  useLayoutEffect(() => {
    const options = optionsOf(series, { width, heightPx, latest })
    const made = new UPlot(options, dataOf(at, series), place.current!)
    plot.current = made
    return () => made.destroy()
  }, [shape, scheme, heightPx])
  useEffect(() => plot.current?.setData(dataOf(at, series)), [at, series])
  useEffect(() => plot.current?.setSize({ width, height: heightPx }), [width, heightPx])
  return <div ref={place} aria-hidden="true" />
}

/** A value between two that are missing is no line; it is shown as a point. */
function alone(plot: UPlot, series: number): number[] {
  const values = plot.data[series] ?? []
  const isThere = (i: number) => values[i] !== null && values[i] !== undefined
  return [...values.keys()].filter((i) => isThere(i) && !isThere(i - 1) && !isThere(i + 1))
}

type Latest = { current: Pick<PlotProps, 'onZoom' | 'point' | 'format'> }

function optionsOf(
  series: readonly ChartSeries[],
  { width, heightPx, latest }: { width: number; heightPx: number; latest: Latest },
): UPlot.Options {
  const style = getComputedStyle(document.documentElement)
  const color = (name: string) => resolved(style.getPropertyValue(name))
  const axis = {
    stroke: color('--text-3'),
    font: `11px ${style.getPropertyValue('--font')}`,
    ticks: { show: false },
  }
  return {
    width,
    height: heightPx,
    legend: { show: false },
    padding: [8, 12, 0, 0],
    cursor: {
      y: false,
      points: { size: 6 },
      drag: { x: true, y: false, setScale: false },
      sync: { key: 'time' },
    },
    scales: { y: { range: (_, _min, max) => [0, max > 0 ? max * 1.1 : 1] } },
    axes: [
      { ...axis, grid: { show: false }, space: 80, size: 26, values: timeTicks },
      {
        ...axis,
        grid: { stroke: color('--line'), width: 1 },
        space: 36,
        size: 56,
        values: (_, ticks) => ticks.map((tick) => latest.current.format(tick)),
      },
    ],
    series: [
      {},
      ...series.map((one) => ({
        label: one.label,
        stroke: color(one.color),
        width: 1.5,
        points: { show: true, size: 4, filter: alone },
        ...(one.fill ? { fill: `color-mix(in srgb, ${color(one.color)} 12%, transparent)` } : {}),
      })),
    ],
    hooks: {
      setCursor: [({ cursor }) => latest.current.point(cursor.idx ?? null)],
      setSelect: [(self) => zoom(self, latest)],
    },
  }
}

function zoom(plot: UPlot, latest: Latest): void {
  const { left, width } = plot.select
  if (width < 6) return
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
  latest.current.onZoom?.(plot.posToVal(left, 'x') * 1000, plot.posToVal(left + width, 'x') * 1000)
}

const hourAndMinute = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
})
const dayOfMonth = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric' })

function timeTicks(_: UPlot, ticks: number[]): string[] {
  return ticks.map((tick) => {
    const date = new Date(tick * 1000)
    return date.getHours() + date.getMinutes() === 0 ? dayOfMonth.format(date) : hourAndMinute.format(date)
  })
}

function dataOf(at: readonly number[], series: readonly ChartSeries[]): UPlot.AlignedData {
  return [at.map((ms) => ms / 1000), ...series.map(({ values }) => [...values])]
}

/** A canvas knows no `light-dark()`: the color as the page has it now. */
function resolved(value: string): string {
  const probe = document.createElement('span')
  probe.style.color = value
  document.body.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}

function useScheme(): boolean {
  const query = matchMedia('(prefers-color-scheme: dark)')
  const [isDark, setDark] = useState(query.matches)
  useEffect(() => {
    const changed = () => setDark(query.matches)
    query.addEventListener('change', changed)
    return () => query.removeEventListener('change', changed)
  }, [query])
  return isDark
}

function summaryOf(title: string, series: readonly ChartSeries[], format: (value: number) => string): string {
  const parts = series.map(({ label, values }) => {
    const known = values.filter((value) => value !== null)
    if (known.length === 0) return `${label}: nothing`
    return `${label}: now ${format(known.at(-1)!)}, at most ${format(Math.max(...known))}`
  })
  return `${title}. ${parts.join('; ')}.`
}
