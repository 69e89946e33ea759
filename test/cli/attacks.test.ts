import assert from 'node:assert/strict'
import { it } from 'node:test'
import { fakeMillrace } from '../client/fake-millrace.ts'
import { attacks } from '../fixtures/attacks.ts'
import { noTerminal, onTerminal } from './terminal.ts'

/** A terminal obeys the first kind, and writes in another direction after the second. */
const commands = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]|[\u202a-\u202e\u2066-\u2069]/u

it('shows hostile text on a terminal, and the terminal obeys none of it', { skip: noTerminal }, async (t) => {
  const fake = await fakeMillrace()
  t.after(() => fake.close())
  const unescaped = (text: string) =>
    JSON.stringify(text.slice(0, 200)).replace(/\\u(00[89]\w|20[26]\w)/g, (_, code) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    )
  const json = `[${attacks.map(unescaped).join()}]`
  const failures = attacks.map(
    (attack, at) =>
      `{"attempt":${at + 1},"finishedAt":"2030-01-01T00:00:00.000Z","error":{"name":${unescaped(attack)},"message":${unescaped(attack)}}}`,
  )
  const id = fake.add({
    status: '"failed"',
    payload: json,
    error: `{"name":"Error","message":${unescaped(attacks.join(' ').slice(0, 9_000))},"attempt":1}`,
    attempts: `[${failures.join()}]`,
    idempotencyKey: unescaped(attacks.slice(-40).join(' ')),
  })

  for (const args of [
    ['get', id],
    ['get', id, '-o', 'json'],
    ['get', id, '-o', 'jsonl'],
    ['list', '--include', 'payload', '-o', 'json'],
    ['list'],
    ['wait', id],
  ]) {
    const terminal = onTerminal(t, args, fake.url)
    await terminal.exitCode()
    assert.match(terminal.output(), new RegExp(id), args.join(' '))
    assert.equal(commands.exec(terminal.output())?.[0], undefined, args.join(' '))
  }
})
