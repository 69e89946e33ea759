import { useMemo } from 'react'
import type { Task } from '../../../../src/client/index.ts'
import { classNames } from '../../ui/class-names.ts'
import { duration } from '../../ui/format.ts'
import { withoutTricks } from '../../ui/json/tree.ts'
import { Section } from '../../ui/page.tsx'
import { QueryState } from '../../ui/query-state.tsx'
import { Clock } from '../../ui/time.tsx'
import styles from './life.module.css'
import { useTimeline } from './use-task.ts'
import { type Bar, type Waterfall, waterfallOf } from './waterfall.ts'

/** The life of the task: a bar for all it did, on one axis of time, and what happened in its order. */
export function Life({ task }: { task: Task }) {
  const timeline = useTimeline(task)
  const { data } = timeline
  const waterfall = useMemo(() => data && waterfallOf(data, duration), [data])
  return (
    <Section
      title="Timeline"
      aside={waterfall && <span className={styles.total}>{duration(waterfall.totalMs)} in all</span>}
    >
      <QueryState query={timeline} what="The timeline">
        {() => waterfall && <Chart waterfall={waterfall} />}
      </QueryState>
      {waterfall && <Moments waterfall={waterfall} />}
    </Section>
  )
}

const percent = (share: number) => `${(share * 100).toFixed(3)}%`

function Chart({ waterfall: { ticks, bars, moments, now } }: { waterfall: Waterfall }) {
  return (
    <figure className={styles.chart} aria-label="What the task did, on one axis of time">
      <div className={styles.axis} aria-hidden="true">
        {ticks.map(({ at, label }, i) => (
          <span
            key={label}
            className={classNames(styles.tick, i > 0 && at > 0.94 && styles.last)}
            style={{ left: percent(at) }}
          >
            {label}
          </span>
        ))}
      </div>
      <div className={styles.lines} aria-hidden="true">
        {ticks.map(({ at, label }) => (
          <span key={label} className={styles.line} style={{ left: percent(at) }} />
        ))}
        {now !== undefined && <span className={styles.nowLine} style={{ left: percent(now) }} />}
      </div>
      <div className={styles.moments} aria-hidden="true">
        {moments.map(({ kind, at, instant }) => (
          <span
            key={`${kind} ${instant}`}
            title={`${kind} ${instant}`}
            className={classNames(styles.moment, styles[kind])}
            style={{ left: percent(at) }}
          />
        ))}
      </div>
      <ul className={styles.bars}>
        {bars.map((bar) => (
          <BarLine key={bar.key} bar={bar} />
        ))}
      </ul>
    </figure>
  )
}

function BarLine({ bar }: { bar: Bar }) {
  const { kind, label, from, to, lengthMs, isOpen, span } = bar
  const tone = kind === 'attempt' ? (span.outcome ?? 'running') : kind
  const place = placeOf(from, to)
  const said = `${duration(lengthMs)}${isOpen ? ' so far' : ''}`
  return (
    <li className={styles.barLine} title={titleOf(bar)}>
      <span className={styles.label}>{label}</span>
      <span className={styles.track}>
        <span
          className={classNames(styles.bar, styles[tone])}
          style={{ left: percent(from), width: percent(to - from) }}
        />
        <span
          className={classNames(styles.length, styles[place])}
          style={{ [place === 'after' ? 'left' : 'right']: percent(edgeOf(place, from, to)) }}
        >
          {said}
          {kind === 'attempt' && span.outcome && <span className={styles.outcome}> {span.outcome}</span>}
        </span>
      </span>
    </li>
  )
}

type Place = 'after' | 'before' | 'inside'

/** Where there is room for how long it took: after the bar, before it, or on it. */
function placeOf(from: number, to: number): Place {
  if (to <= 0.78) return 'after'
  return from >= 0.3 ? 'before' : 'inside'
}

function edgeOf(place: Place, from: number, to: number): number {
  return place === 'after' ? to : place === 'before' ? 1 - from : 1 - to
}

function titleOf({ label, span: { from, to, workerId, error } }: Bar): string {
  const parts = [`${label}: ${from} – ${to ?? 'now'}`]
  if (workerId) parts.push(`on worker ${workerId}`)
  if (error) parts.push(withoutTricks(`${error.name}: ${error.message}`))
  return parts.join('\n')
}

type Happening = {
  key: string
  atMs: number
  instant: string
  what: string
  detail: string | undefined
  tone: string
}

function Moments({ waterfall }: { waterfall: Waterfall }) {
  const happenings = useMemo(() => happeningsOf(waterfall), [waterfall])
  const startMs = happenings[0]?.atMs ?? 0
  return (
    <ol className={styles.happenings} aria-label="Events">
      {happenings.map(({ key, atMs, instant, what, detail, tone }) => (
        <li key={key}>
          <span className={styles.since}>+{duration(Math.max(0, atMs - startMs))}</span>
          <span className={classNames(styles.dot, styles[tone])} aria-hidden="true" />
          <span className={styles.what}>
            {what}
            {detail !== undefined && <span className={styles.detail}> {detail}</span>}
          </span>
          <span className={styles.clock}>
            <Clock at={instant} />
          </span>
        </li>
      ))}
    </ol>
  )
}

/** Marks, and beginnings and ends of attempts, by time. */
function happeningsOf({ moments, bars }: Waterfall): readonly Happening[] {
  const marks = moments.map(({ kind, instant }) => made(kind, instant, undefined, kind))
  const attempts = bars
    .filter(({ kind }) => kind === 'attempt')
    .flatMap(({ label, span: { from, to, outcome, error, workerId } }) => {
      const began = made(`${label} began`, from, workerId === null ? undefined : `on ${workerId}`, 'running')
      if (to === null || outcome === null) return [began]
      const why = error ? withoutTricks(`${error.name}: ${error.message}`) : undefined
      return [began, made(`${label} ${outcome}`, to, why, outcome)]
    })
  const finals = new Set(attempts.map(({ instant, tone }) => `${instant} ${tone}`))
  // An attempt that completes ends the task: one line is enough for both.
  const others = marks.filter(
    ({ instant, tone }) => tone !== 'completed' || !finals.has(`${instant} ${tone}`),
  )
  return [...attempts, ...others].sort((a, b) => a.atMs - b.atMs || rankOf(a) - rankOf(b))
}

/** Of what happened in the same millisecond. */
function rankOf({ what }: Happening): number {
  return what === 'submitted' ? 0 : what.startsWith('Attempt') ? 2 : what === 'due' ? 1 : 3
}

function made(what: string, instant: string, detail: string | undefined, tone: string): Happening {
  const said = what === 'failed' ? 'failed for good' : what
  return { key: `${what} ${instant}`, atMs: Date.parse(instant), instant, what: said, detail, tone }
}
