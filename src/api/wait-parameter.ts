import { Type } from 'typebox'
import { longestWaitSeconds } from './prefer.ts'
import { openQuery, type Parameter } from './query.ts'

export const waitParameter: Parameter<number> = {
  schema: Type.Number({
    minimum: 0,
    maximum: longestWaitSeconds,
    default: 0,
    description:
      'Seconds to wait until it is final. The answer is its state then, or at the end of the wait.',
  }),
  read: (text) => (/^\d{1,2}(\.\d{1,9})?$/.test(text) && +text <= longestWaitSeconds ? +text : undefined),
  rule: `must be a number of seconds from 0 to ${longestWaitSeconds}`,
}

/** The wait that a query asks for, which has nothing else, in milliseconds. */
export function readWaitMs(given: unknown): number {
  const query = openQuery(given, ['wait'])
  const seconds = query.take('wait', waitParameter) ?? 0
  query.close()
  return Math.round(seconds * 1000)
}
