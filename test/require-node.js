import { readFileSync } from 'node:fs'

// Imported before anything else (`node --import`), and in plain JavaScript, because a Node.js that is too old for
// this project cannot even read its files and would say so in its own words.

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const needed = manifest.engines.node.replace('>=', '')

if (compare(process.versions.node, needed) < 0) {
  console.error(
    `Millrace needs Node.js ${needed} or newer and this is ${process.versions.node} (${process.execPath}): ` +
      'install a newer one, or, on Linux, run npm ci without --omit=optional, which brings one for this folder.',
  )
  process.exit(1)
}

/** Negative if version `a` is older than `b`; what `b` leaves out is 0. */
function compare(a, b) {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number))
  const at = left.findIndex((part, i) => part !== (right[i] ?? 0))
  return at === -1 ? 0 : left[at] - (right[at] ?? 0)
}
