import { relative, timeOfDay } from './format.ts'
import { useNow } from './use-now.ts'

/** An instant as an age; the exact one on hover and for machines. */
export function Ago({ at }: { at: string }) {
  const nowMs = useNow()
  return (
    <time dateTime={at} title={at}>
      {relative(at, nowMs)}
    </time>
  )
}

/** An instant by the clock of the reader. */
export function Clock({ at }: { at: string }) {
  return (
    <time dateTime={at} title={at}>
      {timeOfDay(at)}
    </time>
  )
}
