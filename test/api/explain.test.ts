import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { idSource } from '../../src/domain/id.ts'
import type { Span } from '../../src/domain/timeline.ts'
import { apiWith } from './api-under-test.ts'
import { assertProblem } from './problem-check.ts'

const id = idSource()()
const at = '2030-01-31T09:00:00.000Z'

describe('GET /tasks/{id}/why and …/timeline', () => {
  it('tell the reason', async (t) => {
    const { app } = await apiWith(t)
    const { statusCode, ...response } = await app.inject(`/tasks/${id.toUpperCase()}/why`)
    assert.equal(statusCode, 200)
    assert.equal(response.json().code, 'starting')
    assert.equal(response.json().taskId.toLowerCase(), id)
  })

  it('give errors as the texts that they are', async (t) => {
    const error = '{"name":"E","message":"\\u0000","n":1.0}'
    const span: Omit<Span, 'error'> = {
      ...{ from: at, to: at, attempt: 1, workerId: 'w' },
      kind: 'attempt',
      outcome: 'failed',
    }
    const { app } = await apiWith(t, {
      readTimeline: async (taskId) => ({
        ...{ taskId, now: at },
        spans: [
          { ...span, error },
          { ...span, kind: 'waiting', to: null, error: null },
        ],
        marks: [{ kind: 'submitted', at }],
      }),
    })
    const response = await app.inject(`/tasks/${id}/timeline`)
    assert.ok(response.body.includes(`"error":${error}}`))
    const { spans, marks, now } = response.json()
    assert.deepEqual([spans.length, spans[1].error, marks, now], [2, null, [{ kind: 'submitted', at }], at])
  })

  for (const what of ['why', 'timeline'])
    it(`refuse what is no id, and parameters: ${what}`, async (t) => {
      const { app } = await apiWith(t)
      assertProblem(await app.inject(`/tasks/7/${what}`), 'invalid-request')
      assertProblem(await app.inject(`/tasks/${id}/${what}?wait=3`), 'invalid-request')
      assertProblem(await app.inject({ method: 'POST', url: `/tasks/${id}/${what}` }), 'method-not-allowed')
    })
})
