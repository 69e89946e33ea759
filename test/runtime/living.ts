import { runUntilSignal, type Service, stopRequest } from '../../src/runtime/service.ts'

// A process with three services, which says what happens to it. Argument: how long the middle one takes to stop.

const [stopsAfterMs = '0'] = process.argv.slice(2)
const say = (line: string) => console.log(line)
const work = setInterval(() => {}, 1_000)

const services: Service[] = [
  { name: 'first', stop: async () => clearInterval(work) },
  { name: 'middle', stop: () => new Promise((resolve) => setTimeout(resolve, Number(stopsAfterMs))) },
  { name: 'failing', stop: () => Promise.reject(new Error('it is stuck')) },
].map(({ name, stop }) => ({ name, stop: () => stop().then(() => say(`${name} stopped`)) }))

const request = stopRequest()
process.send?.({ type: 'ready' })
await runUntilSignal(services, { deadlineMs: 5_000, report: say }, request)
say('the end')
