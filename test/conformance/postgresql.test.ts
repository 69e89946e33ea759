import { conformance } from './suite.ts'

conformance({ name: 'PostgreSQL alone', skip: false, amqpUrl: async () => undefined })
