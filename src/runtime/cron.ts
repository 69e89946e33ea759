import { Cron } from 'croner'

type Rule = { cron: string; timeZone: string }
type Fault = { field: keyof Rule; detail: string }

const longestRule = 255
const nicknames = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly']
const secondMs = 1_000

/**
 * The times of cron expressions, in milliseconds since 1970: of five fields, or six with the second before them.
 *
 * Where clocks are set forward, a time of day that is skipped comes at the first moment after the gap; where they are
 * set back, a time of day that comes twice counts once, the first. What names no time of day but a pace (`*` or a step
 * in the minute or the hour) keeps the pace: it has nothing in the gap, and comes in both of the repeated hours.
 */
export const cronTimes = {
  faultOf(rule: Rule, atMs: number): Fault | undefined {
    if (!isTimeZone(rule.timeZone))
      return { field: 'timeZone', detail: 'must be a time zone such as Europe/Berlin or UTC' }
    const detail = faultIn(rule, atMs)
    return detail === undefined ? undefined : { field: 'cron', detail }
  },

  after(rule: Rule, atMs: number, count: number): number[] {
    return open(rule)
      .nextRuns(count, new Date(atMs))
      .map((time) => time.getTime())
  },

  upTo(rule: Rule, atMs: number, count: number): number[] {
    // Answers what lies before a whole second, latest first.
    const before = new Date((Math.floor(atMs / secondMs) + 1) * secondMs)
    return open(rule)
      .previousRuns(count, before)
      .map((time) => time.getTime())
      .reverse()
  },
}

function open({ cron, timeZone }: Rule): Cron {
  return new Cron(cron, {
    timezone: timeZone,
    mode: '5-or-6-parts',
    fixedTimeRule: 'no-wildcard',
    paused: true,
  })
}

function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(name)) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

const form = 'must be a cron expression of 5 fields, such as "30 9 * * 1-5", or 6 with the second first'

function faultIn(rule: Rule, atMs: number): string | undefined {
  const { cron } = rule
  if (cron.length > longestRule || !isExpression(cron)) return form
  try {
    return open(rule).nextRun(new Date(atMs)) === null ? `names a time that never comes` : undefined
  } catch (error) {
    return `${form}: ${reasonOf(error)}`
  }
}

/** The library takes a date as well, and `?` for the moment at which it reads the expression: those are no rules. */
function isExpression(cron: string): boolean {
  if (cron.startsWith('@')) return nicknames.includes(cron.toLowerCase())
  return /^[A-Za-z0-9*,/#+-]+( +[A-Za-z0-9*,/#+-]+){4,5}$/.test(cron)
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.replace(/^CronPattern: /, '').replace(/\.$/, '')
}
