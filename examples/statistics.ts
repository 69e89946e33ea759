import { defineTask, NonRetryableError } from 'millrace'

/** Many small tasks in one call, as for an API that takes lists. Each of them has an outcome of its own. */
export const statistics = defineTask({
  type: 'statistics',
  maxBatch: 100,
  async runBatch(inputs, { log }) {
    log.debug('one call for all of them')
    return inputs.map((input) => (isNumbers(input) ? describe(input) : new NonRetryableError('no numbers')))
  },
})

function isNumbers(input: unknown): input is number[] {
  return Array.isArray(input) && input.length > 0 && input.every(Number.isFinite)
}

function describe(numbers: readonly number[]) {
  const sum = numbers.reduce((total, number) => total + number, 0)
  return { count: numbers.length, mean: sum / numbers.length }
}
