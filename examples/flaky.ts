import { defineTask, NonRetryableError, RetryLaterError } from 'millrace'

/**
 * Fails in the way that its payload asks for, to see what becomes of failures: `{"fail": "always"}` uses up its
 * attempts, `"once"` succeeds at the second, `"for-good"` is not tried again, `"later"` chooses when it is.
 */
export const flaky = defineTask({
  type: 'flaky',
  maxAttempts: 5,
  async run(input, { attempt, log }) {
    const how = input instanceof Object && 'fail' in input ? input.fail : 'always'
    log.debug({ how }, 'about to fail')
    if (how === 'always' || (how === 'once' && attempt === 1)) throw new Error(`attempt ${attempt} failed`)
    if (how === 'for-good') throw new NonRetryableError('this can never work')
    if (how === 'later' && attempt < 3) throw new RetryLaterError('not now', { delayMs: 500 })
    return { attempts: attempt }
  },
})
