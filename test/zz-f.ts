import { runningUrl } from '/work/main/src/embedded/index.ts'
import pg from 'pg'
const url = await runningUrl(process.argv[2]!)
const c = new pg.Client(url); await c.connect()
console.log((await c.query(process.argv[3]!)).rows)
await c.end()
