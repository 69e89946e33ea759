import { type Logger, pino, stdTimeFunctions } from 'pino'
import pretty from 'pino-pretty'
import type { LogFormat, LogLevel } from './settings.ts'

export type Log = Logger

export type LogOptions = {
  level: LogLevel
  format: LogFormat
  /** The process: api, worker, … */
  name: string
}

const toStderr = { destination: 2, sync: true } as const

/**
 * The log of a process, on stderr. A line of JSON has the level's name, the instant as RFC 3339, the process,
 * the message and the fields of the event. Written at once: the last words before a crash are the ones that count.
 */
export function createLog({ level, format, name }: LogOptions): Log {
  const stream =
    format === 'pretty' ? prettyStream() : pino.destination({ dest: toStderr.destination, sync: true })
  return pino(
    {
      level,
      base: { name, pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  )
}

// A stream of this process and no worker thread: a thread's lines are lost when the process is killed.
function prettyStream() {
  return pretty({
    ...toStderr,
    ignore: 'pid',
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l',
    colorize: process.stderr.isTTY === true && process.stderr.hasColors(),
  })
}
