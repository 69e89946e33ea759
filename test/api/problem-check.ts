import assert from 'node:assert/strict'
import type { LightMyRequestResponse } from 'fastify'
import { problems } from '../../src/api/problem.ts'

type Body = {
  code: string
  detail: string
  errors?: { pointer?: string; parameter?: string; header?: string; detail: string }[]
  task?: unknown
  checks?: unknown
}

/** Asserts that an answer is a complete problem with this code, and answers its body. */
export function assertProblem(response: LightMyRequestResponse, code: keyof typeof problems): Body {
  const body = response.json()
  assert.equal(body.code, code, response.body.slice(0, 500))
  assert.match(String(response.headers['content-type']), /^application\/problem\+json/)
  assert.equal(response.statusCode, problems[code].status)
  assert.equal(body.status, response.statusCode)
  assert.equal(body.title, problems[code].title)
  assert.equal(body.type, `urn:millrace:problem:${code}`)
  assert.ok(body.detail)
  if (response.statusCode === 503) assert.equal(response.headers['retry-after'], '1')
  return body
}

/** The places of the faults of an invalid request, in order. */
export function faultsOf(response: LightMyRequestResponse): string[] {
  const { errors = [] } = assertProblem(response, 'invalid-request')
  return errors.map(({ pointer, parameter, header }) => pointer ?? parameter ?? header ?? '')
}
