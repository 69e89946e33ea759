import { z } from 'zod'
import { defineTask } from '../../src/index.ts'

// Importing this file for more than its types would fail the test that does not.
if (process.env.NODE_TEST_CONTEXT) throw new Error('the definitions were loaded, and not only their types')

export const resize = defineTask({
  type: 'image.resize',
  input: z.object({ width: z.string().transform(Number) }),
  run: async ({ width }) => ({ bytes: width }),
})

export const notify = defineTask({
  type: 'notify',
  input: z.object({ to: z.string() }),
  runBatch: (inputs) => inputs.map(({ to }) => (to === '' ? new Error('nobody') : to)),
})

export const echo = defineTask({ type: 'echo', run: (input) => input })
