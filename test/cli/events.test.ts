import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fakeMillrace } from '../client/fake-millrace.ts'
import { runMillrace } from './run-millrace.ts'

describe('millrace events', () => {
  it('prints a line for each move, and goes on where it was when the connection breaks', async (t) => {
    const fake = await fakeMillrace()
    t.after(() => fake.close())
    const args = ['events', '--type', 'n', '--status', 'failed,completed', '--count', '4', '--url', fake.url]

    const { stdout, stderr, code } = await runMillrace(t, args)

    assert.equal(code, 0)
    const told = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.deepEqual(
      told.map(({ name, type }) => `${name} ${type}`),
      ['processing n', 'failed n', 'completed n', 'completed n'],
    )
    const [first, again] = fake.requestsTo('/events')
    assert.equal(String(first!.query), 'type=n&status=failed%2Ccompleted')
    assert.equal(again!.headers['last-event-id'], 'a')
    assert.match(stderr, /the connection is gone.*connected again/s)
  })

  it('says which status there is not', async (t) => {
    const fake = await fakeMillrace()
    t.after(() => fake.close())
    fake.faults.push({ status: 422 })
    const { code } = await runMillrace(t, ['events', '--status', 'done', '--url', fake.url])
    assert.equal(code, 2)
  })
})
