import type { Check, Readiness } from './index.ts'

/** Answers a detail when all is well, and throws what is wrong. */
export type Probe = { name: string; check: () => Promise<string | undefined> }

/** Asks everything that this process needs, at the same time. */
export async function checkReadiness(probes: readonly Probe[]): Promise<Readiness> {
  const checks = await Promise.all(probes.map(askProbe))
  return { ok: checks.every((check) => check.ok), checks }
}

async function askProbe({ name, check }: Probe): Promise<Check> {
  try {
    const detail = await check()
    return { name, ok: true, ...(detail === undefined ? {} : { detail }) }
  } catch (error) {
    return { name, ok: false, detail: error instanceof Error ? error.message : String(error) }
  }
}
