import { Argument, Command, InvalidArgumentError } from 'commander'
import { elementTexts, memberTexts } from '../../client/json-text.ts'
import { age, durationMs } from '../amounts.ts'
import { withExamples } from '../examples.ts'
import { UsageError } from '../exit-code.ts'
import { formatOf, type OutputOptions, printerFor, printOne, withOutput } from '../output.ts'
import { clientOf, type ServerOptions, withServer } from '../server.ts'
import { type Column, factsOf, type Row } from '../table.ts'
import { say } from '../words.ts'

type Action = 'create' | 'list' | 'revoke'
type Options = ServerOptions & OutputOptions & { scopes?: string[]; expiresIn?: number }

export function keysCommand(): Command {
  const command = withServer(withOutput(new Command('keys')))
    .summary('make, list or revoke API keys')
    .description('make an API key with a name, list the keys, or revoke some by their ids')
    .addArgument(new Argument('<action>').choices(['create', 'list', 'revoke']))
    .argument('[names...]', 'the name of a new key, or ids of keys to revoke')
    .option('--scopes <list>', 'of a new key: submit,read,cancel,work,admin', scopeList)
    .option('--expires-in <time>', 'of a new key: 12h, 90d; never without it', durationMs)
    .action(run)
  return withExamples(
    command,
    'millrace keys create mail --scopes submit,read --expires-in 90d',
    'millrace keys list && millrace keys revoke 0123456789abcdef',
  )
}

async function run(action: Action, names: string[], options: Options): Promise<void> {
  if (action !== 'create' && (options.scopes || options.expiresIn !== undefined))
    throw new UsageError('--scopes and --expires-in are for `millrace keys create`')
  if (action === 'create') return create(names, options)
  if (action === 'revoke') return revoke(names, options)
  if (names.length > 0) throw new UsageError('`millrace keys list` takes no names')
  const { text } = await clientOf(options).request({ path: '/keys', repeatable: true })
  printKeys(elementTexts(memberTexts(text).get('data') ?? '[]'), options)
}

async function create([name, ...more]: string[], options: Options): Promise<void> {
  const { scopes, expiresIn: expiresInMs } = options
  if (name === undefined || more.length > 0)
    throw new UsageError('give the new key one name: `millrace keys create NAME --scopes submit,read`')
  if (!scopes)
    throw new UsageError('say what it is good for: --scopes with some of submit,read,cancel,work,admin')
  const client = clientOf(options)
  const body = JSON.stringify({ name, scopes, expiresInMs })
  const { text } = await client.request({ method: 'POST', path: '/keys', body, repeatable: false })
  printOne(options, text, factsOfNew)
  if (formatOf(options) === 'table') say('Keep it now: it is shown this once.')
  if (!(await client.whoami()).authRequired)
    say('This server wants no keys yet: everybody may do everything until it has API_KEYS.')
}

async function revoke(ids: string[], options: Options): Promise<void> {
  if (ids.length === 0)
    throw new UsageError('give the ids of the keys to revoke; `millrace keys list` has them')
  const client = clientOf(options)
  for (const id of ids) {
    const path = `/keys/${encodeURIComponent(id)}`
    const { text } = await client.request({ method: 'DELETE', path, repeatable: true })
    printKeys([text], options)
  }
}

function printKeys(texts: readonly string[], options: Options): void {
  const printer = printerFor(options, columns)
  printer.rows(texts)
  printer.end()
}

const columns: readonly Column[] = [
  { title: 'ID', width: 16, of: ({ id }) => id },
  { title: 'NAME', of: ({ name }) => name },
  { title: 'SCOPES', of: ({ scopes }) => listOf(scopes) },
  { title: 'USED', width: 4, align: 'right', of: ({ lastUsedAt }) => age(lastUsedAt) },
  { title: 'STATE', width: 18, of: stateOf },
]

function stateOf({ revokedAt, expiresAt }: Row): string {
  if (typeof revokedAt === 'string') return 'revoked'
  if (typeof expiresAt !== 'string') return 'good'
  return Date.parse(expiresAt) < Date.now() ? 'expired' : `until ${expiresAt.slice(0, 10)}`
}

function factsOfNew({ id, name, scopes, expiresAt, key }: Row): string[] {
  return factsOf([
    ['id', String(id)],
    ['name', String(name)],
    ['scopes', listOf(scopes)],
    ['expires', typeof expiresAt === 'string' ? expiresAt : 'never'],
    ['key', String(key)],
  ])
}

const listOf = (value: unknown) => (Array.isArray(value) ? value.join(',') : '')

function scopeList(text: string): string[] {
  const list = [...new Set(text.split(',').map((scope) => scope.trim()))].filter((scope) => scope !== '')
  if (list.length === 0) throw new InvalidArgumentError('It is some of submit, read, cancel, work, admin.')
  return list
}
