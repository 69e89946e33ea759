import { hash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join, relative, sep } from 'node:path'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** Nothing from elsewhere, nothing inline, no frame around it, and nowhere to send anything but here. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

const typeOf: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}

type Asset = {
  type: string
  cacheControl: string
  etag: string
  plain: Buffer
  gzip?: Buffer
  brotli?: Buffer
}

export type Dashboard = {
  /** Answers a path below `/dashboard/`, and whether there was something to answer. */
  answer(path: string, request: FastifyRequest, reply: FastifyReply): boolean
}

/**
 * The built page in `folder`, read once and served from memory: only what was found there can be asked for. Nothing is
 * answered while the folder is missing; it may appear later.
 */
export function dashboard(folder: string): Dashboard {
  let assets: Map<string, Asset> | undefined
  return {
    answer(path, request, reply) {
      assets ??= assetsIn(folder)
      // An address of the page's own, such as /dashboard/tasks/ID, is the page: it finds its way by itself.
      const asset = assets?.get(path) ?? (isPage(path) ? assets?.get('index.html') : undefined)
      if (asset === undefined) return false
      send(asset, request, reply)
      return true
    },
  }
}

function isPage(path: string): boolean {
  return !path.startsWith('assets/')
}

/** Undefined when there is no page, or when it is replaced at this very moment. */
function assetsIn(folder: string): Map<string, Asset> | undefined {
  try {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((file) =>
      file.isFile(),
    )
    const paths = files.map((file) => relative(folder, join(file.parentPath, file.name)).split(sep).join('/'))
    const known = new Set(paths)
    const served = paths.filter((path) => extname(path) in typeOf)
    const assets = new Map(served.map((path) => [path, assetOf(folder, path, known)]))
    return assets.has('index.html') ? assets : undefined
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

function assetOf(folder: string, path: string, known: ReadonlySet<string>): Asset {
  const read = (name: string) => readFileSync(join(folder, name))
  const plain = read(path)
  return {
    type: typeOf[extname(path)]!,
    // The names of those in `assets` change with what is in them.
    cacheControl: path.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
    etag: `"${hash('sha256', plain, 'base64url').slice(0, 22)}"`,
    plain,
    ...(known.has(`${path}.gz`) ? { gzip: read(`${path}.gz`) } : {}),
    ...(known.has(`${path}.br`) ? { brotli: read(`${path}.br`) } : {}),
  }
}

function send(asset: Asset, request: FastifyRequest, reply: FastifyReply): void {
  reply.headers({
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cache-control': asset.cacheControl,
    etag: asset.etag,
    vary: 'accept-encoding',
  })
  if (request.headers['if-none-match'] === asset.etag) {
    reply.code(304).send()
    return
  }
  const { encoding, body } = encoded(asset, String(request.headers['accept-encoding'] ?? ''))
  if (encoding !== undefined) reply.header('content-encoding', encoding)
  reply.type(asset.type).send(body)
}

function encoded({ plain, gzip, brotli }: Asset, accepted: string): { encoding?: string; body: Buffer } {
  const accepts = (name: string) =>
    new RegExp(`(?:^|[,\\s])${name}(?!\\s*;\\s*q=0(?:\\.0*)?\\s*(?:,|$))`).test(accepted)
  if (brotli && accepts('br')) return { encoding: 'br', body: brotli }
  if (gzip && accepts('gzip')) return { encoding: 'gzip', body: gzip }
  return { body: plain }
}
