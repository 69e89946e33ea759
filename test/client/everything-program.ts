import * as client from '../../src/client/index.ts'
import { tryAll } from './everything.ts'

console.log(JSON.stringify(await tryAll(client, process.argv.at(-1) ?? '')))
