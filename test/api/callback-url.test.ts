import assert from 'node:assert/strict'
import { it } from 'node:test'
import { recordingApi } from './api-under-test.ts'
import { assertProblem, faultsOf } from './problem-check.ts'

it('takes a callbackUrl, for a task and for each of a batch', async (t) => {
  const { submissions, post } = await recordingApi(t)
  const callbackUrl = 'https://example.com/a'
  await post(JSON.stringify({ payload: 1, callbackUrl }))
  await post(JSON.stringify({ tasks: [{ payload: 1, callbackUrl }, { payload: 2 }] }), {}, '/tasks/batch')
  assert.deepEqual(
    submissions.map((submission) => submission.callbackUrl),
    [callbackUrl, callbackUrl, undefined],
  )
})

it('refuses a callbackUrl that cannot be called', async (t) => {
  const { submissions, post } = await recordingApi(t)
  for (const callbackUrl of [
    '',
    5,
    null,
    'ftp://example.com',
    'http://u:p@example.com',
    'http://example.com:22',
  ]) {
    const reply = await post(JSON.stringify({ payload: 1, callbackUrl }))
    assert.deepEqual(faultsOf(reply), ['#/callbackUrl'], String(callbackUrl))
  }
  assert.deepEqual(submissions, [])
})

it("refuses the system's own types: a delivery could be forged otherwise", async (t) => {
  const { submissions, post } = await recordingApi(t)
  const reply = await post(
    JSON.stringify({ payload: { url: 'http://a.b', body: '' }, type: 'millrace.webhook' }),
  )
  assert.match(assertProblem(reply, 'invalid-request').detail, /not begin with 'millrace\.'/)
  const again = await post(
    JSON.stringify({ tasks: [{ payload: 1, type: 'millrace.x' }] }),
    {},
    '/tasks/batch',
  )
  assert.deepEqual(faultsOf(again), ['#/tasks/0/type'])
  assert.deepEqual(submissions, [])
})
