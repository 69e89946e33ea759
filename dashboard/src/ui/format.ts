const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const short = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 })

/** 12,480 */
export function count(n: number): string {
  return whole.format(n)
}

/** 12.5K; for axes and where there is little room. */
export function compact(n: number): string {
  return Math.abs(n) < 10_000 && Number.isInteger(n) ? whole.format(n) : short.format(n)
}

/** 0.3/s, 12/s, 4,310/s */
export function rate(perSecond: number): string {
  return `${rateNumber(perSecond)}/s`
}

export function rateNumber(perSecond: number): string {
  if (perSecond === 0) return '0'
  if (perSecond < 0.01) return '<0.01'
  if (perSecond < 10) return String(Number(perSecond.toPrecision(2)))
  return whole.format(perSecond)
}

export function bytes(n: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, n)) / 3)))
  const value = n / 1000 ** step
  return `${step === 0 || value >= 100 ? Math.round(value) : Number(value.toPrecision(3))} ${units[step]}`
}

/** 340 ms, 1.2 s, 48 s, 4 min 10 s, 3 h 5 min, 2 d 4 h */
export function duration(ms: number): string {
  if (ms < 1) return ms === 0 ? '0 ms' : '<1 ms'
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)} s`
  if (ms < 59_500) return `${Math.round(ms / 1_000)} s`
  if (ms < 3_570_000) return pair(Math.round(ms / 1_000), 60, 'min', 's')
  if (ms < 86_400_000 - 30_000) return pair(Math.round(ms / 60_000), 60, 'h', 'min')
  return pair(Math.round(ms / 3_600_000), 24, 'd', 'h')
}

function pair(small: number, per: number, large: string, little: string): string {
  const rest = small % per
  return `${whole.format(Math.floor(small / per))} ${large}${rest > 0 ? ` ${rest} ${little}` : ''}`
}

/** "4 min ago", "in 3 h", "just now" */
export function relative(at: string | number | Date, nowMs = Date.now()): string {
  const ms = nowMs - new Date(at).getTime()
  if (Math.abs(ms) < 2_000) return 'just now'
  const span = oneUnit(Math.abs(ms))
  return ms > 0 ? `${span} ago` : `in ${span}`
}

function oneUnit(ms: number): string {
  if (ms < 60_000) return `${Math.floor(ms / 1_000)} s`
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min`
  if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)} h`
  return `${Math.floor(ms / 86_400_000)} d`
}

const clock = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
})
const day = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric' })

/** 14:03:22 today, "Nov 3, 14:03:22" on other days. In the reader's time zone. */
export function timeOfDay(at: string | number | Date, nowMs = Date.now()): string {
  const date = new Date(at)
  const isToday = date.toDateString() === new Date(nowMs).toDateString()
  return isToday ? clock.format(date) : `${day.format(date)}, ${clock.format(date)}`
}

/** "1 task", "12,480 tasks" */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`
}
