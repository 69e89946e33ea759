/** The deliveries of one channel that are not acked yet. */
export type AckWindow = {
  /** Acks these; those without an older delivery open before them by one frame for all. */
  ack(tags: Iterable<number>): void
}

export type OpenWindow<Message> = AckWindow & {
  /** How many are not acked. */
  size(): number
  delivered(tag: number, message: Message): void
  /** The channel has gone: nothing is acked any more, the broker delivers again. */
  close(): void
}

/** `send` acks one message or, with `upTo`, all that are open up to it. Tags arrive in ascending order. */
export function ackWindow<Message>(send: (message: Message, upTo: boolean) => void): OpenWindow<Message> {
  const open = new Map<number, Message>()
  return {
    delivered: (tag, message) => void open.set(tag, message),
    size: () => open.size,
    ack,
    close: () => open.clear(),
  }

  function ack(tags: Iterable<number>) {
    const done = new Set(tags)
    let last: Message | undefined
    for (const [tag, message] of open) {
      if (!done.delete(tag)) break
      open.delete(tag)
      last = message
    }
    if (last !== undefined) send(last, true)
    for (const tag of done) ackAlone(tag)
  }

  function ackAlone(tag: number) {
    const message = open.get(tag)
    if (message === undefined) return
    open.delete(tag)
    send(message, false)
  }
}
