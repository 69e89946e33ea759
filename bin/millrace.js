#!/usr/bin/env node
// Plain JavaScript without new syntax: an old Node.js must get as far as the sentence that says it is too old.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import module from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const main = join(root, 'src', 'cli', 'main.ts')
const [major, minor] = process.versions.node.split('.').map(Number)

// Taking the types out of the sources takes longer than most commands do, so what comes out is kept, for the processes
// that this one starts too.
process.env.NODE_COMPILE_CACHE =
  process.env.NODE_COMPILE_CACHE || join(root, 'node_modules', '.cache', 'millrace')

if (major > 22 || (major === 22 && minor >= 18)) runHere()
else runWithNewerNode()

function runHere() {
  module.enableCompileCache(process.env.NODE_COMPILE_CACHE)
  import('../src/cli/main.ts')
}

/** `npm ci` has put a new enough Node.js beside the other packages where there is one for the platform. */
function runWithNewerNode() {
  const packaged = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node')
  if (!existsSync(packaged)) {
    console.error(
      `Millrace needs Node.js 22.18 or newer and this is ${process.versions.node}: run npm ci in ${root} to get one, or install it from https://nodejs.org`,
    )
    process.exitCode = 1
    return
  }
  const child = spawn(packaged, [main, ...process.argv.slice(2)], { stdio: 'inherit' })
  // A terminal sends Ctrl-C to both of us; the child decides what it means.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
    })
  }
  child.on('exit', (code, signal) => {
    if (signal) {
      process.removeAllListeners(signal)
      process.kill(process.pid, signal)
    } else process.exitCode = code
  })
}
