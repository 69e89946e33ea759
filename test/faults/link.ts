/**
 * A TCP proxy in front of a server, on a port of its own, that can break what goes through it. Faithful otherwise.
 */
export type Link = {
  /** The server's URL with the link's host and port. */
  url: string
  /** Connections that are open. */
  open(): number
  /** Ends all connections with a reset; new ones are accepted. */
  cut(): void
  /** From now on no byte goes through, in both directions, on connections that exist and on new ones; nothing is closed. */
  freeze(): void
  /** Connections that were frozen stay dead for ever, as after a lost host; new ones work again. */
  thaw(): void
  /** Delays every byte by this much, each way. 0 for none. */
  delay(ms: number): void
  close(): Promise<void>
}
