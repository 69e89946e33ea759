import { type Logger, pino } from 'pino'

/** A log that keeps its lines for the test to read. */
export function keptLog(): { log: Logger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = []
  return { log: pino({ level: 'debug' }, { write: (line) => lines.push(JSON.parse(line)) }), lines }
}
