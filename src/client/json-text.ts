/**
 * The members of a JSON object, name to text, and the elements of a JSON array, each exactly as it was written:
 * parsing would change numbers such as 12345678901234567890 and 1.0. The text must be valid JSON.
 */
export function memberTexts(objectText: string): Map<string, string> {
  return new Map(
    itemTexts(objectText).map((item) => {
      const nameEnd = endOfString(item, 0) + 1
      return [JSON.parse(item.slice(0, nameEnd)), item.slice(item.indexOf(':', nameEnd) + 1).trim()]
    }),
  )
}

export function elementTexts(arrayText: string): string[] {
  return itemTexts(arrayText)
}

function itemTexts(text: string): string[] {
  const items: string[] = []
  let depth = 0
  let start = 0
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!
    if (char === '"') at = endOfString(text, at)
    else if ((char === '{' || char === '[') && ++depth === 1) start = at + 1
    else if (char === ',' ? depth === 1 : (char === '}' || char === ']') && --depth === 0) {
      items.push(text.slice(start, at).trim())
      start = at + 1
    }
  }
  return items.filter((item) => item !== '')
}

/** Where the string that begins at `start` has its closing quote. */
function endOfString(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at
}
