import { defineTask } from 'millrace'

export const hello = defineTask({
  type: 'hello',
  run: (name) => ({ greeting: `Hello, ${name}!` }),
})
