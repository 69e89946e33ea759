type Call = { method: string; path: string; body: string }
type Schedule = { name: string; paused: boolean; lastTaskId: string | null; nextRuns: string[] }

/** The schedules of the API in memory; none of their times comes. `submit` makes a task and answers its text. */
export function fakeSchedules(submit: (task: string) => string) {
  const schedules = new Map<string, Schedule & { task: object }>()

  return (call: Call): { status: number; text: string } | undefined => {
    const [, collection, name, verb] = call.path.split('/')
    if (collection !== 'schedules') return undefined
    if (name === undefined)
      return { status: 200, text: JSON.stringify({ data: [...schedules.values()], page: { next: null } }) }
    const known = schedules.get(name)
    if (call.method === 'PUT') {
      const rest = { timeZone: 'UTC', catchUp: 'latest', paused: false, lastTaskId: null }
      const schedule = { name, nextRuns: ['2030-01-31T09:00:00.000Z'], ...rest, ...JSON.parse(call.body) }
      schedules.set(name, schedule)
      return { status: known ? 200 : 201, text: JSON.stringify(schedule) }
    }
    if (!known) {
      const detail = `there is no schedule '${name}'`
      return { status: 404, text: JSON.stringify({ status: 404, code: 'schedule-not-found', detail }) }
    }
    if (verb === 'run') return { status: 201, text: submit(JSON.stringify(known.task)) }
    if (verb !== undefined) known.paused = verb === 'pause'
    if (call.method === 'DELETE') schedules.delete(name)
    return { status: 200, text: JSON.stringify(known) }
  }
}
