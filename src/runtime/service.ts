import { tracingChannel } from 'node:diagnostics_channel'

/** Something that is running now. Starting it is the job of the function that returned it. */
export type Service = {
  name: string
  /** Finishes work in hand, takes no more, and resolves when nothing of it is left. Safe to call twice. */
  stop(): Promise<void>
}

type Life = {
  /** How long all the stopping together may take; after that the process exits with 1. */
  deadlineMs: number
  report: (line: string) => void
}

/** npm passes a Ctrl-C on that the terminal has sent to everybody already: within this time it is the same one. */
const sameRequestMs = 1_000

/**
 * Waits until this process is asked to stop, then stops the services, last started first. `request` is of use to
 * who wants to hear it earlier, while the services are still being started.
 */
export async function runUntilSignal(
  services: Service[],
  { deadlineMs, report }: Life,
  request = stopRequest(),
): Promise<void> {
  report(`stopping: ${await request}`)
  const deadline = setTimeout(() => {
    report(`still not stopped after ${Math.round(deadlineMs / 1000)} s: exiting`)
    process.exit(1)
  }, deadlineMs)
  await stopAll(services, report)
  clearTimeout(deadline)
}

/** Tells who listens of each service that is stopped, before and after. */
const stopTrace = tracingChannel<unknown, { name: string }>('millrace.stop')

/**
 * Stops services one after the other, last started first, those included that are added meanwhile, and takes them off
 * the list. One that fails does not keep the others from stopping.
 */
export async function stopAll(services: Service[], report: (line: string) => void): Promise<void> {
  for (let service = services.pop(); service; service = services.pop()) {
    try {
      await stopTrace.tracePromise(service.stop, { name: service.name }, service)
    } catch (error) {
      report(
        `${service.name} did not stop cleanly: ${error instanceof Error ? error.message : String(error)}`,
      )
    }
  }
}

/**
 * Resolves, with the reason, when this process is asked to stop: by Ctrl-C, by SIGTERM, by its terminal being
 * closed, or by the end of the parent that it has a channel to. From the call on a second signal exits at once,
 * with 128 + its number.
 */
export function stopRequest(): Promise<string> {
  return new Promise((resolve) => {
    let firstAtMs: number | undefined
    const onSignal = (signal: NodeJS.Signals, number: number) => {
      const nowMs = performance.now()
      if (firstAtMs !== undefined && nowMs - firstAtMs > sameRequestMs) process.exit(128 + number)
      firstAtMs ??= nowMs
      resolve(signal)
    }
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, onSignal)
    const onOrphaned = () => resolve('the process that started this one is gone')
    if (process.send && !process.connected) onOrphaned()
    process.once('disconnect', onOrphaned)
    // Listening for the parent's end is no reason to live on when all else is done.
    process.channel?.unref()
  })
}
