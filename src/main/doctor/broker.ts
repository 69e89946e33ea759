import { connect } from 'amqplib'
import type { Config } from '../../runtime/config.ts'
import { withoutPassword } from '../../runtime/settings.ts'
import { type Finding, fail, messageOf, ok } from './finding.ts'

const oldest = [3, 10] as const
const answerWithinMs = 5_000

/** Whether each node of the broker answers and is new enough. */
export async function* brokerFindings({ amqpUrls }: Pick<Config, 'amqpUrls'>): AsyncGenerator<Finding> {
  if (amqpUrls.length === 0) yield ok('broker', 'none is set: PostgreSQL dispatches')
  for (const url of amqpUrls) yield await nodeFinding(url)
}

async function nodeFinding(url: string): Promise<Finding> {
  try {
    const connection = await connect(url, { timeout: answerWithinMs })
    connection.on('error', () => {})
    const { product, version } = connection.connection.serverProperties
    await connection.close()
    const words = `${product} ${version} at ${withoutPassword(url)}`
    return isNewEnough(version)
      ? ok('broker', words)
      : fail('broker', words, `Millrace needs RabbitMQ ${oldest.join('.')} or newer`)
  } catch (error) {
    return fail(
      'broker',
      `${withoutPassword(url)}: ${messageOf(error)}`,
      'see that it runs and that AMQP_URL is right; tasks wait until it does',
    )
  }
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > oldest[0] || (major === oldest[0] && minor >= oldest[1])
}
