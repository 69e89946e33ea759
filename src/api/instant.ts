const pattern =
  /^(\d{4})-(\d\d)-(\d\d)[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/

/**
 * An RFC 3339 instant with its offset, as UTC with milliseconds; undefined when it is none, names a day that does
 * not exist, or lies before 1970 or after the year `lastYear`.
 */
export function readInstant(text: string, lastYear: number): string | undefined {
  const [, year, month, day] = pattern.exec(text)?.map(Number) ?? []
  if (year === undefined || month === undefined || day === undefined) return undefined
  if (new Date(Date.UTC(year, month - 1, day)).getUTCDate() !== day || month > 12) return undefined
  const instant = new Date(text.toUpperCase())
  const utcYear = instant.getUTCFullYear()
  return utcYear >= 1970 && utcYear <= lastYear ? instant.toISOString() : undefined
}
