import type { Millrace } from 'millrace/client'
import type { sendEmail } from './tasks.ts'

type Order = { number: string; customer: string }

/** However often an order is reported, its customer gets one mail: the key says that it is the same submission. */
export async function orderPlaced(millrace: Millrace, { number, customer }: Order): Promise<string> {
  const mail = { to: customer, subject: `Your order ${number}`, text: 'Thank you! It is on its way.' }
  const options = { idempotencyKey: `order-placed-${number}`, priority: 'high' } as const
  return (await millrace.submit<typeof sendEmail>('email.send', mail, options)).id
}
