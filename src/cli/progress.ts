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
export function startProgress(work: Work): Progress {
  return process.stderr.isTTY ? bar(work) : lines(work)
}

const hideCursor = '\u001b[?25l'
const showCursor = '\u001b[?25h'
const clearLine = '\r\u001b[2K'
const betweenFramesMs = 80
const barWidth = 20

function bar(work: Work): Progress {
  const startedAt = performance.now()
  let drawnAt = 0
  let line = ''
  process.stderr.write(hideCursor)
  // A command that is interrupted must not leave the terminal without a cursor.
  process.once('exit', restore)
  update(0)
  return { update, say: sayAbove, stop }

  function update(done: number, note = paceOf(work, done, startedAt)) {
    const columns = Math.max(20, process.stderr.columns)
    line = [`${work.label} ${blocks(work, done)}${amount(work, done)}`, note]
      .join(' | ')
      .slice(0, columns - 1)
    if (performance.now() - drawnAt >= betweenFramesMs || done === work.total) draw()
  }

  function draw() {
    drawnAt = performance.now()
    process.stderr.write(`${clearLine}${line}`)
  }

  function sayAbove(words: string) {
    process.stderr.write(clearLine)
    say(words)
    draw()
  }

  function stop() {
    draw()
    restore()
    process.removeListener('exit', restore)
  }

  function restore() {
    process.stderr.write(`\n${showCursor}`)
  }
}

function blocks({ total }: Work, done: number): string {
  if (total === undefined) return ''
  const filled = Math.floor(barWidth * Math.min(1, done / Math.max(1, total)))
  return `${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)} `
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
