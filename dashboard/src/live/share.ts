type Sharing<State> = {
  name: string
  /** Makes states until `signal` aborts. Runs in one tab of the browser at a time. */
  produce: (put: (state: State) => void, signal: AbortSignal) => Promise<void>
  receive: (state: State) => void
}

type Message<State> = { kind: 'state'; state: State } | { kind: 'hello' } | { kind: 'restart' }

/**
 * One producer for all tabs of a browser. Who holds the lock produces and tells the others; when that tab is closed, its lock
 * is free and the next one goes on. Where the browser gives pages no locks (plain HTTP from another host) each tab has its own.
 */
export function shareAmongTabs<State>({ name, produce, receive }: Sharing<State>): { restart(): void } {
  const channel = new BroadcastChannel(name)
  const post = (message: Message<State>) => channel.postMessage(message)
  let latest: State | undefined
  let producing: AbortController | undefined

  const put = (state: State) => {
    latest = state
    receive(state)
    post({ kind: 'state', state })
  }
  channel.onmessage = ({ data }: MessageEvent<Message<State>>) => {
    if (data.kind === 'state' && producing === undefined) receive(data.state)
    if (data.kind === 'hello' && producing !== undefined && latest !== undefined)
      post({ kind: 'state', state: latest })
    if (data.kind === 'restart') producing?.abort()
  }

  const hold = async () => {
    for (;;) {
      producing = new AbortController()
      await produce(put, producing.signal).catch(() => {})
    }
  }
  post({ kind: 'hello' })
  if ('locks' in navigator) void navigator.locks.request(name, hold)
  else void hold()
  return {
    restart: () => {
      producing?.abort()
      post({ kind: 'restart' })
    },
  }
}
