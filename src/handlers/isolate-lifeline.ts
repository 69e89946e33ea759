import { setTimeout as sleep } from 'node:timers/promises'
import { workerData } from 'node:worker_threads'

const lookEveryMs = 500

// A thread of the process that runs suspects: ends it when its worker has died, even if a handler has blocked the
// event loop, where nothing else would notice.
while (process.ppid === workerData) await sleep(lookEveryMs)
process.kill(process.pid, 'SIGKILL')
