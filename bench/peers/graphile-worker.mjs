import { makeWorkerUtils, run } from 'graphile-worker'
import pg from 'pg'
import { loadWith, nothing, serve } from '../serve.ts'

// `batched` is tuned as https://worker.graphile.org/docs/performance says; otherwise everything is left as it is.
const [url, mode] = process.argv.slice(2)
const utils = await makeWorkerUtils({ connectionString: url })
const sql = new pg.Client(url)
await sql.connect()
const batched = {
  concurrentJobs: 24,
  maxPoolSize: 25,
  localQueue: { size: 500 },
  completeJobBatchDelay: 0,
  failJobBatchDelay: 0,
}
let submitted = 0

serve({
  prepare: () => utils.migrate(),
  ...loadWith((payloads) => {
    submitted += payloads.length
    return payloads.length === 1
      ? utils.addJob('noop', payloads[0])
      : utils.addJobs(payloads.map((payload) => ({ identifier: 'noop', payload })))
  }),
  async work(expected, { concurrency, sleepMs }) {
    const worker = mode === 'batched' ? { ...batched } : {}
    if (sleepMs !== 0) worker.concurrentJobs = concurrency
    await run({
      preset: { worker: { connectionString: url, ...worker } },
      taskList: { noop: nothing(expected, sleepMs) },
      noHandleSignals: true,
    })
  },
  /** It deletes what is done, so what is gone is done. */
  async completed() {
    const { rows } = await sql.query('select count(*)::int as n from graphile_worker._private_jobs')
    return submitted - rows[0].n
  },
})
