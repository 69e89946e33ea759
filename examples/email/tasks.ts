import { defineTask, NonRetryableError, RetryLaterError } from 'millrace'
import { z } from 'zod'

const service = process.env.MAIL_URL ?? 'http://127.0.0.1:2580/send'

/**
 * Sends a mail through a service with an HTTP API. The id of the task is the service's idempotency key: a second run, as
 * after a crash between sending and its record, sends nothing twice.
 */
export const sendEmail = defineTask({
  type: 'email.send',
  input: z.object({ to: z.email(), subject: z.string(), text: z.string() }),
  maxAttempts: 8, // with pauses of 1, 2, 4, … seconds: about two minutes
  timeoutMs: 20_000,
  async run(mail, { id, signal }) {
    const response = await fetch(service, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': id },
      body: JSON.stringify(mail),
      signal,
    })
    if (response.status === 429) throw new RetryLaterError('too many mails', { delayMs: pauseMs(response) })
    if (response.status >= 500) throw new Error(`the mail service answered ${response.status}`)
    if (!response.ok) throw new NonRetryableError(`the mail service refused it: ${await response.text()}`)
    return (await response.json()) as { messageId: string }
  },
})

function pauseMs({ headers }: Response): number {
  return 1000 * (Number(headers.get('retry-after')) || 30)
}
