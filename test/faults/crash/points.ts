import type { Transport } from '../trial/fault.ts'

/**
 * A place in the way of a task at which a process may end. `at` is what `readCrashPoint` takes, without the number;
 * `state` says what is done at that moment and what is not.
 */
export type NamedPoint = {
  at: string
  state: string
  part: Part
  /** Absent: both. */
  transport?: Transport
}

/**
 * Who is busy there, and what gets it there. `answering`, `relaying` and `working`: the usual load, in an api, in its
 * relay, in a worker. `keeping house`: any process, once a worker has died. `stopping`: a worker that was told to.
 */
export const parts = ['answering', 'relaying', 'working', 'keeping house', 'stopping'] as const
export type Part = (typeof parts)[number]

export const namedPoints: readonly NamedPoint[] = [
  ...of('answering', {
    'before statement tasks.submit': 'asked for, nothing is stored',
    'during statement tasks.submit': 'the statement is on its way',
    'after statement tasks.submit': 'stored; neither the client nor any worker knows',
    'after statement tasks.submit-scheduled': 'stored for later; the client does not know',
    'after statement keys.take': 'the key is taken, its task is not there, nothing is committed',
    'before statement commit': 'key and task are written, nothing is committed',
    'during statement commit': 'the commit is on its way',
    'after statement commit': 'committed; neither the client nor any worker knows',
    'during statement tasks.cancel': 'the cancellation is on its way',
    'after statement tasks.cancel': 'canceled; neither the client nor the worker knows',
    'before statement notices.canceled': 'canceled; the worker was not told',
    'after statement tasks.retry': 'to be tried again; neither the client nor any worker knows',
  }),
  ...only('postgresql', 'answering', {
    'before statement notices.packets': 'stored; the workers were not woken',
  }),
  ...only('rabbitmq', 'relaying', {
    'before publish packets': 'stored; the broker has nothing',
    'during publish packets': 'messages are on their way',
    'after publish packets': 'confirmed; not marked as sent',
    'during statement packets.mark-sent': 'the mark is on its way',
    'after statement packets.mark-sent': 'marked as sent; the relay does not know',
    'after statement packets.unsent': 'strays were found; nobody sends them',
  }),
  ...only('rabbitmq', 'working', {
    'before receive packet': 'delivered; not in the reserve',
    'after receive packet': 'in the reserve; not claimed, not acknowledged',
    'during statement packets.claim-named': 'the claim is on its way',
    'after statement packets.claim-named': 'claimed; not acknowledged, nothing runs',
    'before receive ack': 'claimed; the message is not acknowledged',
    'after receive ack': 'acknowledged; nothing runs',
  }),
  ...only('postgresql', 'working', {
    'before statement packets.claim-from-ledger': 'seen; not claimed',
    'during statement packets.claim-from-ledger': 'the claim is on its way',
    'after statement packets.claim-from-ledger': 'claimed; nothing runs',
  }),
  ...of('working', {
    'before attempt': 'claimed; the handler does not run',
    'after attempt': 'the handler is done; nothing of it is stored',
    'before statement tasks.complete': 'outcomes are gathered, not stored',
    'during statement tasks.complete': 'the outcomes are on their way',
    'after statement tasks.complete': 'the outcomes are stored; the worker does not know',
    'before statement tasks.fail': 'a failure is not stored',
    'after statement tasks.fail': 'a failure is stored; the worker does not know',
  }),
  ...of('working', {
    'during statement batches.finish': 'a batch is on its way to be finished; what comes then is not there',
    'after statement batch-sequels.note': 'what comes after a batch is written, nothing is committed',
    'after statement callbacks.told': 'a delivery is made, nothing is committed',
    'during statement batch-callbacks.told': 'a delivery is made, its note is on its way',
  }),
  ...of('keeping house', {
    'after statement packets.held': 'a worker is taken for dead; nothing is put back',
    'during statement packets.put-back': 'the tasks of a dead worker are on their way back',
    'after statement packets.put-back': 'put back; nobody was told, the dead worker is still on the list',
    'before statement workers.bury': 'put back and told; the dead worker is still on the list',
    'after statement workers.bury': 'the dead worker is forgotten',
    'during statement schedule.promote': 'due tasks are on their way to pending',
    'after statement schedule.promote': 'due tasks are pending; nobody was told',
    'after statement samples.take': 'a sample was taken',
  }),
  ...of('stopping', {
    'before stop work': 'told to stop; tasks run',
    'before statement tasks.hand-back': 'interrupted tasks are not handed back',
    'during statement tasks.hand-back': 'interrupted tasks are on their way back',
    'after statement tasks.hand-back': 'interrupted tasks are handed back; the worker does not know',
    'after stop work': 'nothing is left; the worker is still on the list',
    'before stop lifeline': 'about to say good-bye',
    'after stop lifeline': 'said good-bye; connections are open',
  }),
]

/** Those that there are with a transport. */
export function pointsOf(transport: Transport, part: Part): NamedPoint[] {
  return namedPoints.filter((point) => point.part === part && (point.transport ?? transport) === transport)
}

function of(part: Part, states: Record<string, string>): NamedPoint[] {
  return Object.entries(states).map(([at, state]) => ({ at, state, part }))
}

function only(transport: Transport, part: Part, states: Record<string, string>): NamedPoint[] {
  return of(part, states).map((point) => ({ ...point, transport }))
}
