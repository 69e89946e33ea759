import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { type CommitCut, commitCuts } from './commit-cut.ts'
import { openTunnel, type Tunnel } from './tunnel.ts'

/**
 * A TCP proxy in front of a server, on ports of its own, that can break what goes through it. Faithful otherwise.
 * Whoever has a door of their own can be struck alone: `who` is the name of a door, and nobody means everybody.
 */
export type Link = {
  /** The server's URL with the link's host and port. */
  url: string
  /** A URL of their own for one member. The same name answers the same URL. */
  door(who: string): Promise<string>
  /** Connections that are open, dead ones included. */
  open(who?: string): number
  /** Ends all connections with a reset, dead ones included; new ones are accepted. */
  cut(who?: string): void
  /** From now on no byte goes through, in both directions, on connections that exist and on new ones; nothing is closed. */
  freeze(who?: string): void
  /** Connections that were frozen stay dead for ever, as after a lost host; new ones work again. */
  thaw(who?: string): void
  /** Ends the dead connections at last, as keepalives of the operating system would after two hours. */
  bury(who?: string): void
  /** Delays every byte by this much, each way. 0 for none. */
  delay(ms: number): void
  /**
   * Of PostgreSQL: resets the connection on which the statement of this name is the next to be executed. `before`:
   * what would have committed it never reaches the server. `after`: the server has committed it, and nobody hears of
   * that. Of a transaction it is its `commit` that is cut. Resolves when that has happened; rejects when `signal` aborts.
   */
  cutCommit(cut: CommitCut, signal?: AbortSignal): Promise<void>
  close(): Promise<void>
}

type Door = { who: string; url: string; server: Server; tunnels: Set<Tunnel>; isFrozen: boolean }

/** Opens a link in front of the server of a `postgres://` or `amqp://` URL, which need not run yet. */
export async function openLink(targetUrl: string): Promise<Link> {
  const target = new URL(targetUrl)
  const cuts = target.protocol === 'amqp:' ? undefined : commitCuts()
  const doors = new Map<string, Promise<Door>>()
  const open: Door[] = []
  let delayMs = 0
  const common = await doorOf('')

  return {
    url: common.url,
    door: async (who) => (await doorOf(who)).url,
    open: (who) => through(who).reduce((sum, door) => sum + door.tunnels.size, 0),
    cut: (who) => each(who, (tunnel) => tunnel.reset()),
    freeze(who) {
      for (const door of through(who)) door.isFrozen = true
      each(who, (tunnel) => tunnel.kill())
    },
    thaw(who) {
      for (const door of through(who)) door.isFrozen = false
    },
    bury: (who) => each(who, (tunnel) => tunnel.isDead() && tunnel.reset()),
    delay(ms) {
      delayMs = ms
    },
    cutCommit(cut, signal) {
      if (!cuts) throw new Error('only connections to PostgreSQL have commits')
      return cuts.arm(cut, signal)
    },
    async close() {
      for (const door of open) door.server.close()
      each(undefined, (tunnel) => tunnel.reset())
    },
  }

  function doorOf(who: string): Promise<Door> {
    const door = doors.get(who) ?? openDoor(who)
    doors.set(who, door)
    return door
  }

  async function openDoor(who: string): Promise<Door> {
    const tunnels = new Set<Tunnel>()
    const server = createServer({ allowHalfOpen: true }, (client) => enter(door, client))
    const door: Door = { who, url: '', server, tunnels, isFrozen: open[0]?.isFrozen ?? false }
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    door.url = urlThrough(target, server)
    open.push(door)
    return door
  }

  function enter(door: Door, client: Socket): void {
    const tunnel = openTunnel(client, {
      host: target.hostname,
      port: Number(target.port || (cuts ? 5432 : 5672)),
      delayMs: () => delayMs,
      tap: cuts?.tap(door.who),
      onEnd: () => door.tunnels.delete(tunnel),
    })
    door.tunnels.add(tunnel)
    if (door.isFrozen) tunnel.kill()
  }

  function through(who: string | undefined): Door[] {
    const meant = open.filter((door) => who === undefined || door.who === who)
    if (meant.length === 0) throw new Error(`${who} has no door of this link`)
    return meant
  }

  function each(who: string | undefined, strike: (tunnel: Tunnel) => void): void {
    for (const door of through(who)) for (const tunnel of [...door.tunnels]) strike(tunnel)
  }
}

function urlThrough(target: URL, server: Server): string {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the link listens on no port')
  const url = new URL(target)
  url.hostname = '127.0.0.1'
  url.port = String(address.port)
  return url.href
}
