import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeFolder, removeFolder } from '../support/folder.ts'
import type { Verdict } from './checker.ts'
import { type Client, openClient } from './client.ts'
import { judge, untilQuiet } from './judge.ts'
import { seeded } from './random.ts'
import { type Cleanups, cleanups, type Deployment, deploy, type Ledgers, ledgersIn } from './system.ts'

/** A system for one measurement, with a client that writes down what it was answered. */
export type Stage = {
  deployment: Deployment
  client: Client
  ledgers: Ledgers
  /** Waits until all tasks are final, and judges the whole as after a run with faults. */
  verdict(patienceMs: number): Promise<Verdict>
}

type StageOptions = {
  seed: number
  /** More settings for the members, which may need servers that are brought up here. */
  prepare?: (undo: Cleanups, folder: string) => Promise<Record<string, string>>
  broker: 'own' | 'prepared'
}

/** Brings a system up, hands it to `measure`, and takes it down. */
export async function onStage<T>(
  { seed, prepare, broker }: StageOptions,
  measure: (stage: Stage) => Promise<T>,
): Promise<T> {
  const folder = makeFolder('figure')
  const undo = cleanups()
  try {
    const ledgers = ledgersIn(folder)
    for (const file of Object.values(ledgers)) writeFileSync(file, '')
    const settings = (await prepare?.(undo, folder)) ?? {}
    const transport = broker === 'own' ? 'rabbitmq' : 'postgresql'
    const deployment = await deploy(undo, { transport, folder, settings })
    const urls = deployment.apis.map(({ url }) => url)
    const client = openClient(urls, { ledger: ledgers.client, random: seeded(seed) })
    const verdict = async (patienceMs: number) => {
      await untilQuiet(deployment, patienceMs)
      return judge(deployment, ledgers)
    }
    return await measure({ deployment, client, ledgers, verdict })
  } finally {
    await undo.run()
    removeFolder(folder)
  }
}

/** Submits a quick task again and again, whether the one before was answered or not. `stop` waits for the answers. */
export function submitSteadily(client: Client, everyMs: number): { stop(): Promise<void> } {
  const stopping = new AbortController()
  const open = new Set<Promise<unknown>>()
  const going = go()
  return {
    async stop() {
      stopping.abort()
      await going
      await Promise.all(open)
    },
  }

  async function go() {
    while (!stopping.signal.aborted) {
      const answer = client.submit([{ type: 'quick', payload: { ms: 1 } }])
      open.add(answer)
      void answer.finally(() => open.delete(answer))
      await sleep(everyMs)
    }
  }
}
