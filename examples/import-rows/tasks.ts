import { defineTask } from 'millrace'
import { z } from 'zod'

/** One call for up to 500 rows, as a database takes them. Each row has an outcome of its own. */
export const importRow = defineTask({
  type: 'row.import',
  input: z.object({ line: z.number(), name: z.string(), amount: z.number() }),
  maxBatch: 500,
  async runBatch(rows, { log }) {
    log.debug({ rows: rows.length }, 'storing')
    return rows.map(({ line, name, amount }) =>
      amount < 0
        ? new Error(`line ${line}: ${name} has a negative amount`)
        : { line, cents: Math.round(100 * amount) },
    )
  },
})
