/** The version of the Millrace that answers there, if one does. Health needs no key. */
export async function millraceVersionAt(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(`${url.replace(/\/+$/, '')}/healthz`, { signal: AbortSignal.timeout(3_000) })
    const health: unknown = await response.json()
    const isOurs = typeof health === 'object' && health !== null && 'status' in health && 'version' in health
    return isOurs ? String(health.version) : undefined
  } catch {
    return undefined
  }
}
