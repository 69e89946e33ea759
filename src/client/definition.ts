type Typed<Payload, Result> = { readonly types?: { payload: Payload; result: Result } }

/**
 * The types that a task's definition carries, read off by shape, so that a client need not import what workers
 * run. A schema's input is the payload; what it makes of it is the handler's affair.
 */
export type PayloadOf<Definition> = Definition extends Typed<infer Payload, unknown> ? Payload : unknown
export type ResultOf<Definition> = Definition extends Typed<unknown, infer Result> ? Result : unknown
