import { MillraceError, type Task } from '../../../../src/client/index.ts'
import { jsonFault } from '../../ui/json/fault.ts'

/** What the form holds: texts, as they were typed. The payload is JSON text, so that numbers stay as they were written. */
export type Draft = { [name in DraftField]: string }

export type DraftField =
  | 'type'
  | 'queue'
  | 'payload'
  | 'key'
  | 'priority'
  | 'delaySeconds'
  | 'maxAttempts'
  | 'timeoutSeconds'
  | 'idempotencyKey'
  | 'callbackUrl'
  | 'copies'

export type Faults = { [name in DraftField]?: string }

export const emptyDraft: Draft = {
  type: 'default',
  queue: 'default',
  payload: '"hello"',
  key: '',
  priority: 'normal',
  delaySeconds: '',
  maxAttempts: '',
  timeoutSeconds: '',
  idempotencyKey: '',
  callbackUrl: '',
  copies: '1',
}

const mostCopies = 10_000
const largestBody = 16 * 1024 * 1024

/** A task once more, to be changed: what it was submitted with, as far as a task says it. */
export function draftOfTask({ type, queue, key, priority, maxAttempts }: Task, payload: string): Draft {
  return { ...emptyDraft, type, queue, key: key ?? '', priority, maxAttempts: String(maxAttempts), payload }
}

/** What is wrong, by field, as far as it can be told without asking the server. */
export function faultsOf(draft: Draft): Faults {
  const fault = jsonFault(draft.payload)
  const faults: Faults = {
    ...(fault && { payload: `Line ${fault.line}, column ${fault.column}: ${fault.detail}` }),
    ...numberFault(draft, 'delaySeconds', { least: 0, most: 1e9 }),
    ...numberFault(draft, 'maxAttempts', { least: 1, most: 100, isWhole: true }),
    ...numberFault(draft, 'timeoutSeconds', { least: 0.001, most: 1e9 }),
    ...numberFault({ ...draft, copies: draft.copies || '0' }, 'copies', {
      least: 1,
      most: mostCopies,
      isWhole: true,
    }),
  }
  const copies = Number(draft.copies)
  if (copies > 1 && draft.idempotencyKey !== '')
    faults.idempotencyKey = 'One key is for one task: leave it out'
  if (copies > 1 && copies * new Blob([submissionText(draft)]).size > largestBody)
    faults.copies = 'That is more than 16 MiB at once: fewer copies, or a shorter payload'
  return faults
}

type Range = { least: number; most: number; isWhole?: boolean }

function numberFault(draft: Draft, field: DraftField, { least, most, isWhole = false }: Range): Faults {
  const text = draft[field].trim()
  if (text === '') return {}
  const n = Number(text)
  if (n >= least && n <= most && (!isWhole || Number.isInteger(n))) return {}
  return {
    [field]: `Must be a ${isWhole ? 'whole ' : ''}number from ${least} to ${most.toLocaleString('en-US')}`,
  }
}

/** The submission as JSON text, with what was filled in only. The payload must be JSON. */
export function submissionText(draft: Draft): string {
  const text = (name: string, value: string) => (value.trim() === '' ? {} : { [name]: value.trim() })
  const number = (name: string, value: string, factor = 1) =>
    value.trim() === '' ? {} : { [name]: Math.round(Number(value) * factor) }
  const given = {
    ...text('type', draft.type),
    ...text('queue', draft.queue),
    ...(draft.key === '' ? {} : { key: draft.key }),
    ...(draft.priority === 'normal' ? {} : { priority: draft.priority }),
    ...number('delayMs', draft.delaySeconds, 1_000),
    ...number('maxAttempts', draft.maxAttempts),
    ...number('timeoutMs', draft.timeoutSeconds, 1_000),
    ...text('idempotencyKey', draft.idempotencyKey),
    ...text('callbackUrl', draft.callbackUrl),
  }
  const head = JSON.stringify(given).slice(1, -1)
  return `{${head}${head && ','}"payload":${draft.payload.trim()}}`
}

/** The body of a request that stores all copies, or none. */
export function batchText(draft: Draft): string {
  return `{"tasks":[${Array.from({ length: Number(draft.copies) }, () => submissionText(draft)).join()}]}`
}

const fieldOf: Record<string, DraftField> = {
  type: 'type',
  queue: 'queue',
  payload: 'payload',
  key: 'key',
  priority: 'priority',
  delayMs: 'delaySeconds',
  maxAttempts: 'maxAttempts',
  timeoutMs: 'timeoutSeconds',
  idempotencyKey: 'idempotencyKey',
  callbackUrl: 'callbackUrl',
}

/** What the server found wrong, beside the fields that it means. */
export function refusalsIn(error: unknown): Faults {
  if (!(error instanceof MillraceError)) return {}
  const named = error.errors.flatMap(({ pointer, detail }) => {
    const field = fieldOf[/^#?\/(?:tasks\/\d+\/)?(\w+)/.exec(pointer ?? '')?.[1] ?? '']
    return field ? [[field, detail] as const] : []
  })
  return Object.fromEntries(named.toReversed())
}
