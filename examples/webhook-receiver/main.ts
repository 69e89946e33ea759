import { webhookReceiver } from './receiver.ts'

// WEBHOOK_SECRET=hush WEBHOOK_ALLOW_PRIVATE=true npm start, and then WEBHOOK_SECRET=hush node examples/webhook-receiver/main.ts

const receiver = webhookReceiver({
  secret: process.env.WEBHOOK_SECRET ?? '',
  onEnd: ({ id, type, status, result }) => console.log(`${type} ${id} is ${status}:`, result),
})
const port = Number(process.env.PORT ?? 3001)
receiver.listen(port, '127.0.0.1', () => {
  console.log(`millrace submit '"hello"' --callback http://127.0.0.1:${port}/`)
})
