import { setTimeout as sleep } from 'node:timers/promises'
import { defineTask } from 'millrace'
import { z } from 'zod'

/** Stands for work that is too slow or too dear for the process that answers people. */
export const report = defineTask({
  type: 'report.make',
  input: z.object({ month: z.string().regex(/^\d{4}-\d\d$/) }),
  async run({ month }, { signal }) {
    await sleep(month === '2000-01' ? 3_000 : 20, undefined, { signal })
    return { month, pages: 3 }
  },
})
