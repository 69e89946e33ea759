import { setMaxListeners } from 'node:events'
import type { PacketSource, Place, Want } from '../domain/ports.ts'
import { priorities } from '../domain/task.ts'
import { goodbyeMs, keepConnected, type RabbitSettings, within } from './rabbitmq-connection.ts'
import { keepConsuming, type Reader } from './rabbitmq-consumer.ts'
import { deliveries } from './rabbitmq-deliveries.ts'

export type RabbitSource = PacketSource & {
  connected(): boolean
  /** Stops consuming; what is not acked goes back to its queue. */
  stop(): Promise<void>
}

export type RabbitSourceSettings = RabbitSettings & {
  queues: readonly string[]
  /** Packets that may wait in this process, for each queue and priority. */
  prefetch: number
  /**
   * A marker came back: packets that were sent to the place before `at` and are still unclaimed may be lost. While
   * it fails with StoreUnavailableError it is called again.
   */
  onMarker(place: Place, at: string): Promise<void>
}

const largestWant = 32

/** The receiving side, on a connection of its own, with a channel for each queue and priority. */
export function rabbitSource({ urls, log, queues, prefetch, onMarker }: RabbitSourceSettings): RabbitSource {
  const places = queues.flatMap((queue) => priorities.map((priority) => ({ queue, priority })))
  const held = deliveries(places)
  const bell = doorbell()
  const stopping = new AbortController()
  let consumers: Promise<unknown> = Promise.resolve()
  const link = keepConnected({ urls, log, name: 'millrace consumer' }, async (model, gone) => {
    const stop = AbortSignal.any([gone, stopping.signal])
    setMaxListeners(0, stop) // each place has some
    consumers = Promise.all(
      places.map((place) => keepConsuming(model, place, { prefetch, log, reader, stop })),
    )
  })
  const reader: Reader = {
    packet(place, packet, slip) {
      held.arrived(place, packet, slip)
      bell.ring()
    },
    marker: onMarker,
    lost: held.forget,
  }
  return { next, claimed, failed, roomFreed, connected: link.connected, stop }

  async function next(room: number, signal: AbortSignal): Promise<Want | undefined> {
    while (!signal.aborted && !stopping.signal.aborted) {
      const packets = held.take(Math.max(1, Math.min(room, largestWant)))
      if (packets.length > 0) return { room, packets }
      await bell.rung(signal)
    }
    return undefined
  }

  function claimed(want: Want, claim: { blocked: readonly number[] }) {
    held.settle(packetsOf(want), new Set(claim.blocked))
    bell.ring()
  }

  function failed(want: Want) {
    held.putBack(packetsOf(want))
    bell.ring()
  }

  function roomFreed() {
    held.roomFreed()
    bell.ring()
  }

  async function stop() {
    stopping.abort()
    bell.ring()
    await within(consumers, 'stop consuming', goodbyeMs).catch(() => {}) // the connection is closed anyway
    await link.stop()
  }
}

const packetsOf = (want: Want) => ('packets' in want ? want.packets : [])

/** Wakes everybody who waits at the moment. */
function doorbell() {
  let next = Promise.withResolvers<void>()
  return {
    ring() {
      next.resolve()
      next = Promise.withResolvers()
    },
    async rung(signal: AbortSignal) {
      const aborted = Promise.withResolvers<void>()
      const wake = () => aborted.resolve()
      signal.addEventListener('abort', wake, { once: true })
      await Promise.race([next.promise, aborted.promise])
      signal.removeEventListener('abort', wake)
    },
  }
}
