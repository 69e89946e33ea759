import type { Finding } from '../../domain/system.ts'

export type { Finding } from '../../domain/system.ts'

export function ok(check: string, detail: string): Finding {
  return { check, state: 'ok', detail }
}

export function warn(check: string, detail: string, advice: string): Finding {
  return { check, state: 'warn', detail, advice }
}

export function fail(check: string, detail: string, advice: string): Finding {
  return { check, state: 'fail', detail, advice }
}

export function messageOf(error: unknown): string {
  const first = error instanceof AggregateError ? error.errors[0] : error
  return first instanceof Error ? first.message : String(first)
}
