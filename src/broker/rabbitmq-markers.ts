import { StoreUnavailableError } from '../domain/errors.ts'
import type { Log } from '../domain/ports.ts'
import type { AckWindow } from './rabbitmq-acks.ts'
import { pause, reasonOf } from './rabbitmq-connection.ts'

export type MarkerSettings = {
  window: AckWindow
  log: Log
  /** Aborts when the channel is gone: then the markers come again. */
  over: AbortSignal
}

/**
 * Reads the markers of one channel. Those that gather while one is being dealt with are dealt with together, since
 * the last one covers those before it. A marker is acked afterwards, and waits while the database is away.
 */
export function markerReader(read: (at: string) => Promise<void>, { window, log, over }: MarkerSettings) {
  let gathered: { at: string; tag: number }[] = []
  let reading = false
  return (at: string, tag: number) => {
    gathered.push({ at, tag })
    if (!reading) void readAll()
  }

  async function readAll() {
    reading = true
    for (let failures = 0; gathered.length > 0 && !over.aborted; ) {
      const markers = gathered
      gathered = []
      if (await readOne(markers.at(-1)!.at)) {
        window.ack(markers.map(({ tag }) => tag))
        failures = 0
      } else {
        gathered = [...markers, ...gathered]
        await pause(++failures, over)
      }
    }
    reading = false
  }

  /** Answers whether the marker is done with. */
  async function readOne(at: string): Promise<boolean> {
    try {
      await read(at)
      return true
    } catch (error) {
      if (error instanceof StoreUnavailableError) return false
      log.warn({ at, reason: reasonOf(error) }, 'a marker was dropped')
      return true
    }
  }
}
