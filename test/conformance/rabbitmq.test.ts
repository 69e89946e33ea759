import { noBroker, testBroker } from '../support/rabbitmq.ts'
import { conformance } from './suite.ts'

conformance({ name: 'RabbitMQ', skip: noBroker, amqpUrl: async () => (await testBroker()).url })
