import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { proposals, typeFamilies } from '../../../dashboard/src/pages/tasks/filter/complete.ts'
import { type Filter, statuses } from '../../../dashboard/src/pages/tasks/filter/fields.ts'
import {
  filterIn,
  flagsOf,
  pastedId,
  readFilter,
  textOf,
  tokensIn,
} from '../../../dashboard/src/pages/tasks/filter/tokens.ts'

const id = '019a5f0e-6f3c-7a41-9c55-3b1f0a7d2e10'

const name = fc.stringMatching(/^[A-Za-z0-9._:/-]{1,40}$/)
const instant = fc
  .date({ min: new Date(0), max: new Date('9990-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString())
const anyFilter: fc.Arbitrary<Filter> = fc.record(
  {
    status: fc.uniqueArray(fc.constantFrom(...statuses), { minLength: 1 }).map((list) => list.join()),
    type: fc.oneof(
      name,
      name.map((head) => `${head}*`),
    ),
    queue: name,
    key: fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' }).filter((key) => !key.includes('\0')),
    batchId: fc.uuid(),
    workerId: fc.uuid(),
    fingerprint: fc.stringMatching(/^[0-9a-f]{16}$/),
    age: fc.stringMatching(/^[<>][1-9][0-9]{0,3}[smhd]$/),
    createdAfter: instant,
    createdBefore: instant,
  },
  { requiredKeys: [], noNullPrototype: true },
)

describe('the filter box', () => {
  it('says every filter in words that are read as the same filter', () => {
    fc.assert(
      fc.property(anyFilter, (filter) => {
        assert.deepEqual(readFilter(textOf(filter)), { filter, faults: [] })
      }),
    )
  })

  it('goes through the address of the page unchanged', () => {
    fc.assert(
      fc.property(anyFilter, (filter) => {
        const address = new URLSearchParams(filter).toString()
        assert.deepEqual(filterIn(Object.fromEntries(new URLSearchParams(address))), filter)
      }),
    )
  })

  it('takes any text at all, with every fault inside it', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('"', '\\', ':', ' ', 'a', 'status', 'key', '<', '\u202e') }),
        (text) => {
          for (const { from, to } of [...readFilter(text).faults, ...tokensIn(text)])
            assert.ok(from >= 0 && from < to && to <= text.length)
          const unread = tokensIn(text).reduceRight(
            (left, { from, to }) => left.slice(0, from) + left.slice(to),
            text,
          )
          assert.equal(unread.trim(), '')
        },
      ),
    )
  })

  it('says where and why it does not understand', () => {
    const faultOf = (text: string) => readFilter(text).faults[0]
    assert.deepEqual(faultOf('status:failed stauts:x'), {
      from: 14,
      to: 22,
      detail: '“stauts” is not known: status?',
    })
    assert.match(faultOf('age:1h')!.detail, /must be < or >/)
    assert.match(faultOf('key:"a b')!.detail, /quote of key is not closed/)
    assert.match(faultOf('status:failed status:pending')!.detail, /twice/)
    assert.match(faultOf('hello')!.detail, /has no name/)
    assert.match(faultOf('queue:')!.detail, /value/)
    assert.match(faultOf('created-after:2030-13-45')!.detail, /must be an instant/)
    assert.deepEqual(readFilter('key:"a b" type:email.*').filter, { key: 'a b', type: 'email.*' })
    assert.deepEqual(readFilter(`batchId:${id}`).filter, { batchId: id })
  })

  it('opens the task whose id is pasted, in whatever stands around it', () => {
    assert.equal(pastedId(` ${id.toUpperCase()}\n`), id)
    assert.equal(pastedId(`https://millrace.example/tasks/${id}?x=1`), id)
    assert.equal(pastedId(`task ${id} failed`), id)
    assert.equal(pastedId(`batch:${id}`), undefined)
    assert.equal(pastedId(`${id} ${id}`), undefined)
    assert.equal(pastedId('019a5f0e'), undefined)
  })

  it('is the flags of the command line too', () => {
    const flags = flagsOf({ status: 'failed', batchId: id, createdAfter: 'x' }, (word) => `'${word}'`)
    assert.equal(flags, `--status 'failed' --batch '${id}' --created-after 'x'`)
  })

  it('proposes names, and the values that there are', () => {
    const known = { type: ['email.send', 'email.digest', 'resize'], queue: ['mail'] }
    const labels = (text: string) => proposals(text, text.length, known).map(({ label }) => label)
    assert.deepEqual(labels('st'), ['status:'])
    assert.ok(!labels('status:failed ').includes('status:'))
    assert.deepEqual(labels('status:fa'), ['failed'])
    assert.ok(!labels('status:failed,').includes('failed'))
    assert.deepEqual(labels('type:e'), ['email.send', 'email.digest', 'resize'])
    assert.deepEqual(typeFamilies(known.type), ['email.*'])
    const [taken] = proposals('queue:m age:<1h', 7, known)
    assert.deepEqual(taken, { text: 'queue:mail ', from: 0, to: 7, label: 'mail', about: '', isTyped: false })
  })
})
