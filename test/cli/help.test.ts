import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import type { Command } from 'commander'
import { programOf } from '../../src/cli/program.ts'
import { fakeMillrace } from '../client/fake-millrace.ts'
import { testFolder } from '../support/folder.ts'
import { program, runMillrace } from './run-millrace.ts'

const millrace = programOf()
/** Those whose examples a server in memory can serve; the others bring up real processes. */
const served = [
  ...[
    'submit',
    'get',
    'wait',
    'watch',
    'events',
    'list',
    'errors',
    'cancel',
    'retry',
    'batch',
    'schedules',
    'schedule',
    'queues',
    'queue',
    'keys',
  ],
  ...['stats', 'top', 'workers', 'config', 'completion'],
]

describe('help', { concurrency: 3 }, () => {
  it('lists every command of the documents', () => {
    const documented = [
      ...[
        'start',
        'demo',
        'api',
        'worker',
        'migrate',
        'submit',
        'get',
        'wait',
        'watch',
        'events',
        'list',
        'errors',
        'why',
        'cancel',
        'retry',
        'delete',
      ],
      ...[
        'batch',
        'schedules',
        'schedule',
        'queues',
        'queue',
        'keys',
        'stats',
        'top',
        'workers',
        'bench',
        'config',
        'doctor',
        'completion',
      ],
    ]
    assert.deepEqual(
      millrace.commands.map((command) => command.name()),
      documented,
    )
  })

  it('is printed for --help, with exit code 0', async (t) => {
    const { stdout, code } = await runMillrace(t, ['get', '--help'])
    assert.match(stdout, /^Usage: millrace get /)
    assert.equal(code, 0)
  })

  const subcommands = millrace.commands.flatMap(({ commands }) => commands)
  for (const command of [millrace, ...millrace.commands, ...subcommands]) {
    it(`of ${nameOf(command)} ends with two examples and fits 80 columns`, () => {
      const help = helpOf(command)
      assert.equal(examplesIn(help).length, 2)
      assert.match(help.trimEnd().split('\n').at(-1)!, /^ {2}\$ /)
      const [words] = help.split('Examples:')
      assert.deepEqual(
        words!.split('\n').filter((line) => line.length > 80),
        [],
      )
    })
  }

  for (const command of millrace.commands.filter((command) => served.includes(command.name()))) {
    it(`of ${command.name()} has examples that run`, async (t) => {
      const fake = await fakeMillrace({ finishes: true })
      t.after(() => fake.close())
      const folder = testFolder(t)
      const shim = join(folder, 'millrace')
      writeFileSync(shim, `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`)
      chmodSync(shim, 0o755)
      const env = { PATH: `${folder}:${process.env.PATH}`, HOME: folder, MILLRACE_URL: fake.url }
      for (const example of examplesIn(helpOf(command)))
        await promisify(execFile)('/bin/sh', ['-ec', example], { env })
    })
  }
})

function nameOf(command: Command): string {
  const parent = command.parent?.name()
  return parent === undefined || parent === 'millrace' ? command.name() : `${parent} ${command.name()}`
}

function helpOf(command: Command): string {
  let help = ''
  command.configureOutput({
    getOutHelpWidth: () => 80,
    writeOut: (text) => {
      help += text
    },
  })
  command.outputHelp()
  return help
}

function examplesIn(help: string): string[] {
  return Array.from(help.split('Examples:\n')[1]?.matchAll(/^ {2}\$ (.+)$/gm) ?? [], ([, line]) => line!)
}
