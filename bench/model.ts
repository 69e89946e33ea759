import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { aligned, type Row, rateOf, spreadOf, whole } from './table.ts'

/*
 * What more processes and more machines would do, from what a task costs each part: `npm run bench:model -- FILE`, with
 * a file of `npm run bench -- drain batch-100 single --only millrace --json FILE`. docs/scaling.md explains it.
 */
type Report = { before: { cores: number }; rows: Row[] }
/** Microseconds of CPU for each task. */
type Costs = { load: number; api: number; worker: number; PostgreSQL: number; RabbitMQ: number }
type Stage = { name: string; tasksPerSecond: number }

// What one PostgreSQL can write, and what one quorum queue can confirm, whatever the number of cores: assumed.
const walBytesPerSecond = 200e6
const messagesPerSecond = 20_000

const program: Command = new Command('model')
  .description(
    'Predicts the rates of more processes and machines from the costs in a result of npm run bench.',
  )
  .argument('<file>', 'what npm run bench -- --json wrote')
  .option('--cores <number>', 'of each machine of a cluster', '8')
await program.parseAsync()
const report = JSON.parse(readFileSync(program.args[0]!, 'utf8')) as Report
const clusterCores = Number(program.opts<{ cores: string }>().cores)
const workloads = [...new Set(report.rows.map(({ workload }) => workload))]
const lines = [['', '1: µs', 'tasks/s', '2: µs', 'tasks/s', '4: µs', 'predicted', 'tasks/s', 'predicted']]
for (const workload of workloads) lines.push(...oneMachine(workload))
console.log(`One machine of ${report.before.cores} cores with 1, 2 and 4 api and worker processes:\n`)
console.log(aligned(lines))
console.log(
  `\nMachines of ${clusterCores} cores, the load from elsewhere, with RabbitMQ; the first thing that is full:\n`,
)
console.log(aligned([['', '1', '3', '10'], ...workloads.map(clusters).filter((line) => line.length > 0)]))

/**
 * Full of CPU, a machine does what its cores can do at a task's cost, less what stands idle. The cost has a part for each
 * task and one for each commit, and the more processes share the work, the smaller are their statements: both parts and the
 * growth of commits are learnt from 1 and 2 sets of processes, and predict what 4 do.
 */
function oneMachine(workload: string): string[][] {
  const [one, two, four] = ['Millrace', 'Millrace 2+2', 'Millrace 4+4'].map((name) => seen(workload, name))
  if (!one || !two || !four) return []
  const commitMicros = (two.micros - one.micros) / (two.commits - one.commits)
  const commits = two.commits ** 2 / one.commits
  const micros = one.micros + commitMicros * (commits - one.commits)
  const used = (one.rate * one.micros + two.rate * two.micros) / 2
  const all = [one.micros, one.rate, two.micros, two.rate, four.micros, micros, four.rate, used / micros]
  return [[workload, ...all.map(whole)]]
}

function seen(workload: string, contestant: string) {
  const row = rowOf(workload, contestant)
  if (!row) return undefined
  const commits = spreadOf(row, ({ perTask }) => perTask?.commits)?.median ?? Number.NaN
  return { micros: sum(costsOf(row)), rate: rateOf(row)?.median ?? Number.NaN, commits }
}

/** One machine has it all; of three, one has PostgreSQL; of ten, one, three have RabbitMQ, six the processes. */
function clusters(workload: string): string[] {
  const row = rowOf(workload, 'Millrace RabbitMQ') ?? rowOf(workload, 'Millrace')
  if (!row) return []
  const costs = costsOf(row)
  const { load: _elsewhere, ...own } = costs
  const all = [{ name: 'cores', tasksPerSecond: (clusterCores * 1e6) / sum(own) }, ...limits(row)]
  const three = [...machines(costs, { database: 1, broker: 1, nodes: 1 }), ...limits(row)]
  const ten = [...machines(costs, { database: 1, broker: 3, nodes: 6 }), ...limits(row)]
  return [workload, ...[all, three, ten].map((stages) => named(lowest(stages)))]
}

function machines(costs: Costs, count: { database: number; broker: number; nodes: number }): Stage[] {
  const of = (number: number, micros: number) => (number * clusterCores * 1e6) / micros
  return [
    { name: 'CPU of api and worker', tasksPerSecond: of(count.nodes, costs.api + costs.worker) },
    { name: 'CPU of PostgreSQL', tasksPerSecond: of(count.database, costs.PostgreSQL) },
    { name: 'CPU of RabbitMQ', tasksPerSecond: of(count.broker, costs.RabbitMQ) },
  ]
}

function limits(row: Row): Stage[] {
  const perTask = (of: 'walBytes' | 'messages') => spreadOf(row, ({ perTask }) => perTask?.[of])?.median ?? 0
  return [
    { name: 'WAL of the primary', tasksPerSecond: walBytesPerSecond / perTask('walBytes') },
    { name: 'messages of one queue', tasksPerSecond: messagesPerSecond / perTask('messages') },
  ]
}

function rowOf(workload: string, contestant: string): Row | undefined {
  return report.rows.find((row) => row.workload === workload && row.contestant === contestant)
}

function costsOf(row: Row): Costs {
  const of = (part: string) => spreadOf(row, ({ cpuMicros }) => cpuMicros?.[part])?.median ?? 0
  return {
    load: of('load'),
    api: of('api'),
    worker: of('worker'),
    PostgreSQL: of('PostgreSQL'),
    RabbitMQ: of('RabbitMQ'),
  }
}

function lowest(stages: readonly Stage[]): Stage {
  return stages.reduce((least, stage) => (stage.tasksPerSecond < least.tasksPerSecond ? stage : least))
}

function sum(costs: Partial<Costs>): number {
  return Object.values(costs).reduce((total, micros) => total + micros, 0)
}

function named({ name, tasksPerSecond }: Stage): string {
  return `${whole(tasksPerSecond)} (${name})`
}
