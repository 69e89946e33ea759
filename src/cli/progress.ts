import { short } from './amounts.ts'
import { grouped, say } from './words.ts'

export type Progress = {
  /** `note` takes the place of rate and time left. */
  update(done: number, note?: string): void
  /** Words in between, which must not tear the bar. */
  say(words: string): void
  stop(): void
}

type Work = { label: string; unit: string; total?: number | undefined }

/** A bar with rate and time left on a terminal, a line now and then elsewhere; all of it on stderr. */
export async function startProgress(work: Work): Promise<Progress> {
  return process.stderr.isTTY ? bar(work) : lines(work)
}

const barWidth = 20

async function bar(work: Work): Promise<Progress> {
  const { MultiBar } = (await import('cli-progress')).default // loaded only by what draws one
  const startedAt = performance.now()
  const format = work.total === undefined ? '{label} {amount} | {note}' : '{label} {bar} {amount} | {note}'
  const bars = new MultiBar({
    format,
    stream: process.stderr,
    barsize: barWidth,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    linewrap: false,
    gracefulExit: true,
  })
  const single = bars.create(work.total ?? 1, 0, fieldsOf(work, 0, startedAt))
  return {
    update: (done, note) => single.update(done, fieldsOf(work, done, startedAt, note)),
    say: (words) => bars.log(`${words}\n`),
    stop: () => bars.stop(),
  }
}

function fieldsOf(work: Work, done: number, startedAt: number, note = paceOf(work, done, startedAt)) {
  return { label: work.label, amount: amount(work, done), note }
}

const betweenLinesMs = 2_000

function lines(work: Work): Progress {
  const startedAt = performance.now()
  let saidAt = startedAt
  return {
    update(done, note = paceOf(work, done, startedAt)) {
      if (performance.now() - saidAt < betweenLinesMs) return
      saidAt = performance.now()
      say(`${work.label}: ${amount(work, done)}, ${note}`)
    },
    say,
    stop: () => {},
  }
}

function amount({ total, unit }: Work, done: number): string {
  if (total === undefined) return `${grouped(done)} ${unit}`
  const percent = Math.min(100, Math.floor((100 * done) / Math.max(1, total)))
  return `${percent} %, ${grouped(done)} of ${grouped(total)} ${unit}`
}

function paceOf({ total }: Work, done: number, startedAt: number): string {
  const perMs = done / Math.max(1, performance.now() - startedAt)
  const pace = `${grouped(1000 * perMs)}/s`
  if (total === undefined || done === 0 || done >= total) return pace
  return `${pace}, ${short(Math.max(1_000, (total - done) / perMs))} left`
}
