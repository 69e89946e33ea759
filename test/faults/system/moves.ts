/** The four moves of a task that a connection may be lost around, with the statements that make them. */
export const moves = [
  { name: 'submit', of: 'api', statements: ['tasks.submit', 'tasks.submit-scheduled'] },
  { name: 'claim', of: 'worker', statements: ['packets.claim-from-ledger', 'packets.claim-named'] },
  { name: 'finish', of: 'worker', statements: ['tasks.complete', 'tasks.fail', 'tasks.hand-back'] },
  { name: 'cancel', of: 'api', statements: ['tasks.cancel'] },
] as const
