import { SingleBar } from 'cli-progress'
import { makeFolder, removeFolder } from '../test/support/folder.ts'
import type { Contestant, Entry } from './contestant.ts'
import type { Row } from './table.ts'
import type { Result, Workload } from './workload.ts'

export type Terms = {
  repeat: number
  /** Instead of the workload's own number, where that is free. */
  tasks?: number | undefined
}

/** Those that mean something at a workload. */
export function entrants(workload: Workload, all: readonly Contestant[]): Contestant[] {
  const fit = all.filter(({ workloads }) => workloads?.includes(workload.name) ?? true)
  return workload.isOurs ? fit.filter(({ name }) => name.startsWith('Millrace')) : fit
}

/**
 * A B C, A B C, …, with a progress bar: every run on servers of its own that hold nothing else, repetitions in turns,
 * so that what the machine does meanwhile meets everybody.
 */
export async function compete(
  workload: Workload,
  contestants: readonly Contestant[],
  terms: Terms,
): Promise<Row[]> {
  const rows = contestants.map(
    ({ name }): Row => ({ workload: workload.name, contestant: name, results: [] }),
  )
  const bar = new SingleBar({ format: `${workload.name} {bar} {value}/{total} {who}`, hideCursor: true })
  bar.start(terms.repeat * contestants.length, 0, { who: '' })
  for (let turn = 0; turn < terms.repeat; turn++)
    for (const [at, contestant] of contestants.entries()) {
      bar.update({ who: contestant.name })
      rows[at]!.results.push(await once(workload, contestant, countFor(workload, contestant, terms)))
      bar.increment()
    }
  bar.update({ who: '' })
  bar.stop()
  return rows
}

async function once(workload: Workload, contestant: Contestant, count: number): Promise<Result> {
  const opened: { folder: string; entry?: Entry }[] = []
  try {
    return await workload.run(await open(), count, open)
  } finally {
    for (const { folder, entry } of opened) {
      await entry?.close()
      removeFolder(folder)
    }
  }

  async function open(): Promise<Entry> {
    const place: (typeof opened)[number] = { folder: makeFolder('bench') }
    opened.push(place)
    place.entry = await contestant.open(place.folder)
    return place.entry
  }
}

function countFor(
  { count, isCountFixed }: Workload,
  { share = 1 }: Pick<Contestant, 'share'>,
  { tasks = count }: Terms,
): number {
  return isCountFixed ? count : Math.round(tasks * share)
}

/** "100,000 tasks (pg-boss: 20,000)" */
export function countsOf(workload: Workload, contestants: readonly Contestant[], terms: Terms): string {
  const all = countFor(workload, {}, terms)
  const others = contestants
    .map((one) => ({ name: one.name, count: countFor(workload, one, terms) }))
    .filter(({ count }) => count !== all)
    .map(({ name, count }) => `${name}: ${count.toLocaleString('en')}`)
  return `${all.toLocaleString('en')} tasks${others.length > 0 ? ` (${others.join(', ')})` : ''}`
}
