import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { signed } from '../../src/handlers/webhook.ts'
import { testFolder } from '../support/folder.ts'
import { textOf } from './pages.ts'

it('the page on webhooks shows a check that lets true deliveries pass, and no others', async (t) => {
  const code = /```ts\n(.*?)```/s.exec(textOf('docs/webhooks.md'))![1]!
  const file = join(testFolder(t), 'check.ts')
  writeFileSync(file, code)
  const { isFromMillrace } = await import(pathToFileURL(file).href)
  const seconds = Math.floor(Date.now() / 1000)
  const body = '{"id":"1"}'
  const headers = signed(['new', 'old'], { id: 'd', seconds, body })

  for (const secret of ['new', 'old']) assert.equal(isFromMillrace(headers, body, secret), true)
  assert.equal(isFromMillrace(headers, body, 'other'), false)
  assert.equal(isFromMillrace(headers, '{"id":"2"}', 'new'), false)
  assert.equal(isFromMillrace({ ...headers, 'webhook-id': 'e' }, body, 'new'), false)
  const old = signed(['new'], { id: 'd', seconds: seconds - 600, body })
  assert.equal(isFromMillrace(old, body, 'new'), false)
  assert.equal(isFromMillrace(signed([], { id: 'd', seconds, body }), body, 'new'), false)
})
