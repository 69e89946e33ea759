/** What a check found, and what to do about it unless all is well. */
export type Finding = { check: string; state: 'ok' | 'warn' | 'fail'; detail: string; advice?: string }

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
