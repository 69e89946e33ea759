import { connect, type Socket } from 'node:net'

/** One connection through a link: what the client sends goes to the server, and the other way round. */
export type Tunnel = {
  /** Ends both sides with a reset. */
  reset(): void
  /** Nothing goes through any more, and nobody is told. */
  kill(): void
  isDead(): boolean
}

/**
 * Reads what goes through. Each function answers what is to go on, or that this is the moment to reset: then
 * nothing of it goes on.
 */
export type Tap = {
  fromClient(bytes: Buffer): Buffer | 'reset'
  fromServer(bytes: Buffer): Buffer | 'reset'
  /** The tunnel is gone. */
  ended(): void
}

export type TunnelOptions = {
  host: string
  port: number
  delayMs: () => number
  tap: Tap | undefined
  onEnd: () => void
}

/** Connects a client's socket with the server. Whichever side ends or breaks, the other learns it likewise. */
export function openTunnel(client: Socket, { host, port, delayMs, tap, onEnd }: TunnelOptions): Tunnel {
  const server = connect({ host, port, allowHalfOpen: true })
  let dead = false
  let left = 2
  for (const [socket, other] of [
    [client, server],
    [server, client],
  ] as const) {
    socket.setNoDelay(true)
    socket.on('error', () => !dead && breakOff(other))
    socket.on('close', () => {
      if (!dead) other.end()
      if (--left > 0) return
      tap?.ended()
      onEnd()
    })
  }
  const isDead = () => dead
  carry(client, server, { delayMs, isDead, read: tap?.fromClient, reset })
  carry(server, client, { delayMs, isDead, read: tap?.fromServer, reset })
  return { reset, kill, isDead }

  function reset() {
    breakOff(client)
    breakOff(server)
  }

  function kill() {
    dead = true
    client.pause()
    server.pause()
  }
}

/** With a reset; but of one that has sent its end libuv refuses that, and would leave the handle open for ever. */
function breakOff(socket: Socket): void {
  if (socket.writableEnded) socket.destroy()
  else socket.resetAndDestroy()
}

type Carriage = {
  delayMs: () => number
  isDead: () => boolean
  read: ((bytes: Buffer) => Buffer | 'reset') | undefined
  reset: () => void
}

/** Carries bytes and the end one way, each as late as the delay says, in order, and no faster than they are taken. */
function carry(
  from: Socket,
  to: Socket,
  { delayMs, isDead, read = (bytes) => bytes, reset }: Carriage,
): void {
  const late: (() => void)[] = []
  from.on('data', (bytes) => {
    const on = read(bytes)
    if (on === 'reset') reset()
    else if (on.length > 0) inTime(() => send(on))
  })
  from.on('end', () => inTime(() => to.end()))

  function inTime(step: () => void) {
    const ms = delayMs()
    if (ms === 0 && late.length === 0) return step()
    late.push(step)
    // Whichever timer it is, the oldest goes: a shorter delay does not overtake.
    setTimeout(() => !isDead() && late.shift()?.(), ms)
  }

  function send(bytes: Buffer) {
    if (to.destroyed || to.write(bytes)) return
    from.pause()
    to.once('drain', () => !isDead() && from.resume())
  }
}
