import { execFile } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { startTethered, type Tethered } from '../../src/embedded/tether.ts'
import { freePort, listens } from './ports.ts'
import { until } from './until.ts'

/** A RabbitMQ node of our own: its name, ports and folders are nobody else's. */
export type BrokerNode = {
  /** As the nodes of a cluster call it. */
  name: string
  /** The address of a virtual host. */
  url(vhost?: string): string
  /** Kills it with -9. */
  kill(): Promise<void>
  /**
   * Whether these queues would outlive a kill. RabbitMQ 3.10 answers the declaration of a quorum queue up to a second
   * before its name is on disk; killed in between, it comes back with a queue that has no leader, and without what
   * was confirmed into it.
   */
  keeps(queues: readonly string[]): boolean
  /** Starts it again on the same ports with what it had on disk; resolves when it accepts connections. */
  start(): Promise<void>
  /** Runs `rabbitmqctl` against it, and answers what that says. */
  control(args: readonly string[]): Promise<string>
  /** Kills it for good, with what it has started. */
  stop(): Promise<void>
}

/** How the nodes of a cluster find each other. */
export type Membership = {
  /** The port of the register of nodes that they share. */
  epmd: number
  /** A node that runs, whose cluster this one joins when it starts for the first time. */
  joins?: string
}

export const brokerUser = 'millrace'
export const brokerPassword = 'millrace'
const readyWithinMs = 120_000

/** Users, virtual hosts and permissions, as RabbitMQ loads them when it starts. */
export function definitions(vhosts: readonly string[]): string {
  return JSON.stringify({
    users: [{ name: brokerUser, password: brokerPassword, tags: 'administrator' }],
    vhosts: vhosts.map((name) => ({ name })),
    permissions: vhosts.map((vhost) => ({
      user: brokerUser,
      vhost,
      configure: '.*',
      write: '.*',
      read: '.*',
    })),
  })
}

/** RabbitMQ as it is installed here, if it is. */
export function brokerProgram(): string | undefined {
  // Debian's script on the path switches to the system's own account and folders, so not that one first.
  const folders = ['/usr/lib/rabbitmq/bin', ...(process.env.PATH ?? '').split(delimiter)]
  return folders.map((folder) => join(folder, 'rabbitmq-server')).find((file) => existsSync(file))
}

/**
 * Starts a node with its files in `folder` and these virtual hosts; resolves when it accepts connections. It
 * ends with this process, however that ends.
 */
export async function startBrokerNode(folder: string, vhosts: readonly string[]): Promise<BrokerNode> {
  const register = await startRegister()
  const node = await startMember(folder, vhosts, { epmd: register.port })
  return {
    ...node,
    async stop() {
      await node.stop()
      await register.stop()
    },
  }
}

/** Erlang's register of nodes. Started by ourselves, because one that a node starts outlives it. */
export async function startRegister() {
  const port = await freePort()
  const register = startTethered('epmd', [], { signal: 'KILL', env: registerEnvironment(port) })
  return {
    port,
    async stop() {
      register.release()
      await register.ended
    },
  }
}

/** Starts a node that is known to a register. Its `stop` leaves the register alone. */
export async function startMember(
  folder: string,
  vhosts: readonly string[],
  { epmd, joins }: Membership,
): Promise<BrokerNode> {
  const program = brokerProgram()
  if (program === undefined) throw new Error('rabbitmq-server is not installed')
  const ports = { amqp: await freePort(), dist: await freePort(), epmd }
  const env = environmentOf(folder, ports)
  const name = env.RABBITMQ_NODENAME
  writeFiles(folder, { port: ports.amqp, vhosts, joins })
  let node = startNode(program, { folder, env })
  await ready(node, { folder, port: ports.amqp })
  return { name, url, keeps, kill, start, control, stop: kill }

  function url(vhost = '/'): string {
    return `amqp://${brokerUser}:${brokerPassword}@127.0.0.1:${ports.amqp}/${encodeURIComponent(vhost)}`
  }

  function keeps(queues: readonly string[]): boolean {
    const file = join(folder, 'mnesia', name, 'quorum', name, 'names.dets')
    const names = existsSync(file) ? readFileSync(file, 'latin1') : ''
    return queues.every((queue) => names.includes(queue))
  }

  async function kill(): Promise<void> {
    node.release()
    await node.ended
  }

  async function start(): Promise<void> {
    node = startNode(program ?? '', { folder, env })
    await ready(node, { folder, port: ports.amqp })
  }

  async function control(args: readonly string[]): Promise<string> {
    const { stdout } = await run(join(dirname(program ?? ''), 'rabbitmqctl'), ['--quiet', ...args], { env })
    return stdout
  }
}

const run = promisify(execFile)
/** What lets nodes, and who controls them, talk to each other. */
const cookie = 'millrace'

type Files = { port: number; vhosts: readonly string[]; joins: string | undefined }

function writeFiles(folder: string, { port, vhosts, joins }: Files): void {
  for (const name of ['mnesia', 'log', 'home']) mkdirSync(join(folder, name))
  writeFileSync(join(folder, 'plugins'), '[].')
  writeFileSync(join(folder, 'home', '.erlang.cookie'), cookie, { mode: 0o400 })
  writeFileSync(join(folder, 'definitions.json'), definitions(vhosts))
  const settings = [
    `listeners.tcp.1 = 127.0.0.1:${port}`,
    `load_definitions = ${join(folder, 'definitions.json')}`,
    ...(joins === undefined ? [] : joining(joins)),
  ]
  writeFileSync(join(folder, 'rabbitmq.conf'), `${settings.join('\n')}\n`)
}

const joining = (node: string) => [
  'cluster_formation.peer_discovery_backend = classic_config',
  `cluster_formation.classic_config.nodes.1 = ${node}`,
]

const registerEnvironment = (port: number) => ({
  PATH: process.env.PATH ?? '',
  ERL_EPMD_PORT: String(port),
  ERL_EPMD_ADDRESS: '127.0.0.1',
})

/** Schedulers that spin while they wait take the cores from what is tested. */
const sleepy = '+sbwt none +sbwtdcpu none +sbwtdio none'
const onLoopback = '-kernel inet_dist_use_interface {127,0,0,1}'

function environmentOf(
  folder: string,
  { dist, epmd }: { dist: number; epmd: number },
): Record<string, string> & { RABBITMQ_NODENAME: string } {
  return {
    ...registerEnvironment(epmd),
    HOME: join(folder, 'home'),
    RABBITMQ_NODENAME: `millrace${dist}@localhost`,
    RABBITMQ_DIST_PORT: String(dist),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
    RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
    // Its script then becomes the node instead of waiting for it, so that what we kill is the node.
    RABBITMQ_ALLOW_INPUT: '1',
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `+S 2:2 ${sleepy} ${onLoopback}`,
    RABBITMQ_CTL_ERL_ARGS: `+S 1:1 ${sleepy} ${onLoopback}`,
  }
}

function startNode(
  program: string,
  { folder, env }: { folder: string; env: Record<string, string> },
): Tethered {
  const output = openSync(join(folder, 'output.log'), 'a')
  try {
    return startTethered(program, ['-noinput'], { signal: 'KILL', env, output })
  } finally {
    closeSync(output)
  }
}

async function ready(node: Tethered, { folder, port }: { folder: string; port: number }): Promise<void> {
  const ended = node.ended.then((how) => {
    const said = readFileSync(join(folder, 'output.log'), 'utf8').slice(-2000)
    throw new Error(`RabbitMQ ended (${how}):\n${said}`)
  })
  const listening = until(() => listens(port), {
    deadlineMs: readyWithinMs,
    what: 'RabbitMQ accepts connections',
  })
  await Promise.race([ended, listening])
}
