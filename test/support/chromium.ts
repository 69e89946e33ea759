import { existsSync } from 'node:fs'

const known = [
  process.env.CHROMIUM ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
]

/** Where a Chromium is; undefined without one. */
export const chromiumPath = known.find((path) => path !== '' && existsSync(path))

/** The same for a program that needs one. */
export function chromiumOrFail(): string {
  if (chromiumPath !== undefined) return chromiumPath
  throw new Error('no Chromium: install it, or name one in the variable CHROMIUM')
}
