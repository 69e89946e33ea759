import { type Command, Option } from 'commander'
import { createClient, type Millrace } from '../client/index.ts'
import { UsageError } from './exit-code.ts'

export const defaultUrl = 'http://127.0.0.1:8000'

export type ServerOptions = { url?: string; apiKey?: string }

/** The options of every command that talks to a server. */
export function withServer(command: Command): Command {
  return command
    .addOption(new Option('--url <url>', `where the server is (default: ${defaultUrl})`).env('MILLRACE_URL'))
    .addOption(
      new Option('--api-key <key>', 'one of its API_KEYS; better given by the variable').env(
        'MILLRACE_API_KEY',
      ),
    )
}

// People wait at the other end: long enough for a server that restarts, not for one that is not there.
const retries = 2

/** For what the client has no call for. */
export function targetOf(options: ServerOptions): { url: string; apiKey: string | undefined } {
  clientOf(options) // says what is wrong with the address
  const { url, apiKey } = options
  return { url: url || defaultUrl, apiKey: apiKey || undefined }
}

export function clientOf({ url, apiKey }: ServerOptions): Millrace {
  try {
    return createClient({ url: url || defaultUrl, apiKey: apiKey || undefined, retries })
  } catch (error) {
    throw error instanceof TypeError ? new UsageError(error.message) : error
  }
}
