import { InvalidArgumentError } from 'commander'

const unitsMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

export const durationWords = 'milliseconds, or with a unit: 500ms, 30s, 5m, 2h, 1d'

/** `1500`, `1500ms`, `1.5s`, `5m`, `2h`, `1d` in milliseconds. */
export function durationMs(text: string): number {
  const [, amount, unit = 'ms'] = text.trim().match(/^(\d+(?:\.\d+)?) ?(ms|s|m|h|d)?$/) ?? []
  const factor = Object.entries(unitsMs).find(([name]) => name === unit)?.[1]
  if (amount === undefined || factor === undefined) throw new InvalidArgumentError(`It is ${durationWords}.`)
  return Math.round(Number(amount) * factor)
}

/** An instant as RFC 3339, given so or as the time that has passed since (`2h`). */
export function instant(text: string): string {
  if (/^\d{4}-\d\d-\d\d/.test(text)) return text
  try {
    return new Date(Date.now() - durationMs(text)).toISOString()
  } catch {
    throw new InvalidArgumentError(
      'It is an instant such as 2030-01-31T09:00:00Z, or a time ago such as 30m, 2h, 1d.',
    )
  }
}

function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It is a whole number.')
  return Number(text)
}

export function positiveNumber(text: string): number {
  const number = wholeNumber(text)
  if (number < 1) throw new InvalidArgumentError('It is 1 or more.')
  return number
}

/** How long ago, in the largest unit that fits: `now`, `42s`, `3m`, `5h`, `2d`. */
export function age(at: unknown, nowMs = Date.now()): string {
  const ms = typeof at === 'string' ? nowMs - Date.parse(at) : Number.NaN
  if (Number.isNaN(ms)) return '-'
  return ms < 1_000 ? 'now' : short(ms)
}

/** `42s`, `3m`, `5h`, `2d`. */
export function short(ms: number): string {
  const [unit, size] = Object.entries(unitsMs).findLast(([, size]) => ms >= size) ?? ['ms', 1]
  return `${Math.floor(ms / size)}${unit}`
}
