import { setTimeout as sleep } from 'node:timers/promises'
import { errorsOf, kinds } from '../../bench/seed/kinds.ts'
import { defineTask, NonRetryableError, RetryLaterError } from '../../src/index.ts'

/** Work like that of the kinds that the pictures are full of, as long and as likely to fail. */
export const tasks = [
  ...kinds.map((kind) => {
    const { type, runMs, failShare } = kind
    const errors = errorsOf(kind)
    return defineTask({
      type,
      async run(_input, { signal }) {
        await sleep(-Math.log(1 - Math.random()) * runMs, undefined, { signal })
        if (Math.random() < failShare) throw oneOf(errors)
        return { ok: true }
      },
    })
  }),
  defineTask({
    type: 'report.export',
    async run({ pages }: { pages: number }, { attempt, progress, signal }) {
      await sleep(600 + attempt * 500, undefined, { signal })
      if (attempt < 3) throw new RetryLaterError('the warehouse answered 503', { delayMs: attempt * 1_500 })
      for (let page = 1; page <= pages; page++) {
        progress(page, pages, 'pages')
        await sleep(60, undefined, { signal })
      }
      return { pages, url: 'reports/2026-10.pdf', bytes: 482_113 }
    },
  }),
]

/** As it would come out of those programs, so that it is one with those of the day before. */
function oneOf(errors: ReturnType<typeof errorsOf>): Error {
  const { json } = errors[Math.floor(Math.random() ** 2 * errors.length)]!
  const { name, message, stack } = JSON.parse(json.replaceAll('{n}', '17'))
  return Object.assign(new NonRetryableError(message), { name, stack })
}
