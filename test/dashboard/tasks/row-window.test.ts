import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  opened,
  patched,
  refreshed,
  withNewer,
  withOlder,
  withWaiting,
} from '../../../dashboard/src/pages/tasks/row-window.ts'
import type { TaskPage, TaskSummary } from '../../../src/client/index.ts'

const row = (id: string, status = 'pending') => ({ id, status }) as TaskSummary
const page = (ids: string, next: string | null = null, prev: string | null = 'up'): TaskPage => ({
  data: [...ids].map((id) => row(id)),
  page: { next, prev },
})
const idsOf = ({ rows }: { rows: readonly TaskSummary[] }) => rows.map(({ id }) => id).join('')

describe('the rows of the list', () => {
  it('grow at both ends, each row once', () => {
    const window = withNewer(withOlder(opened(page('ed', 'c')), page('dcb', null)), page('gfe', 'x', null))
    assert.equal(idsOf(window), 'gfedcb')
    assert.deepEqual([window.older, window.newer], [null, null])
  })

  it('do not move when others come: those are counted and wait', () => {
    const window = opened(page('cba'))
    const waiting = withWaiting(window, page('ed', 'x', null))
    assert.equal(idsOf(waiting), 'cba')
    assert.deepEqual([waiting.waiting, waiting.hasMoreWaiting], [2, false])
    assert.equal(withWaiting(window, page('edc', 'x', 'more')).hasMoreWaiting, true)
    assert.equal(withWaiting(window, page('', 'x', null)), window)
  })

  it('stay where what is newest follows on them, and are left where it does not', () => {
    const window = withOlder(opened(page('dc', 'x')), page('ba', 'older'))
    const near = refreshed(window, page('fed', 'y'))
    assert.equal(idsOf(near), 'fedcba')
    assert.deepEqual([near.older, near.waiting], ['older', 0])
    const far = refreshed(window, page('zyx', 'w'))
    assert.equal(idsOf(far), 'zyx')
    assert.equal(far.older, 'w')
    assert.equal(idsOf(refreshed(window, page('fed', null))), 'fed')
  })

  it('change in their places, and say which are gone', () => {
    const window = opened(page('cba'))
    const now = patched(window, ['c', 'b', 'a'], [row('b', 'completed'), row('c')])
    assert.deepEqual(
      now.rows.map(({ status }) => status),
      ['pending', 'completed', 'pending'],
    )
    assert.deepEqual([...now.gone], ['a'])
    assert.equal(now.rows[0], window.rows[0])
    assert.equal(patched(window, ['c'], [row('c')]), window)
  })
})
