/**
 * A value in a JSON text, by its place there. Nothing is parsed into a value, so that numbers such as 1e400,
 * 12345678901234567890 and 1.0 stay what they are, and so do names that are there twice.
 */
export type JsonNode = {
  kind: 'object' | 'array' | 'string' | 'number' | 'word'
  from: number
  to: number
}

/** `name` is the text of the member's name, quotes and escapes included. */
export type JsonItem = { name: string | undefined; node: JsonNode }

const kinds: Record<string, JsonNode['kind']> = {
  '{': 'object',
  '[': 'array',
  '"': 'string',
  t: 'word',
  f: 'word',
  n: 'word',
}

/** The value of the whole text, which must be valid JSON. */
export function rootOf(text: string): JsonNode {
  return nodeAt(text, skipSpace(text, 0))
}

/** What is directly inside an object or an array. The time it takes grows with their text. */
export function itemsOf(text: string, { kind, from, to }: JsonNode): JsonItem[] {
  const items: JsonItem[] = []
  if (kind !== 'object' && kind !== 'array') return items
  for (let at = skipSpace(text, from + 1); at < to - 1; at = skipSpace(text, at)) {
    let name: string | undefined
    if (kind === 'object') {
      const nameEnd = endOfString(text, at)
      name = text.slice(at, nameEnd)
      at = skipSpace(text, skipSpace(text, nameEnd) + 1)
    }
    const node = nodeAt(text, at)
    items.push({ name, node })
    at = skipSpace(text, node.to)
    if (text[at] === ',') at++
  }
  return items
}

function nodeAt(text: string, from: number): JsonNode {
  const kind = kinds[text[from]!] ?? 'number'
  if (kind === 'object' || kind === 'array') return { kind, from, to: endOfContainer(text, from) }
  if (kind === 'string') return { kind, from, to: endOfString(text, from) }
  let to = from
  while (to < text.length && !/[\s,\]}]/.test(text[to]!)) to++
  return { kind, from, to }
}

function endOfContainer(text: string, from: number): number {
  let depth = 0
  for (let at = from; at < text.length; at++) {
    const char = text[at]
    if (char === '"') at = endOfString(text, at) - 1
    else if (char === '{' || char === '[') depth++
    else if ((char === '}' || char === ']') && --depth === 0) return at + 1
  }
  return text.length
}

/** After its closing quote. */
function endOfString(text: string, from: number): number {
  let at = from + 1
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}

function skipSpace(text: string, from: number): number {
  let at = from
  while (at < text.length && ' \n\r\t'.includes(text[at]!)) at++
  return at
}

/** The text with a line for each item, every name, string and number as it was written. */
export function indented(text: string): string {
  const lines: string[] = []
  write(rootOf(text), '', '', '')
  return lines.join('\n')

  function write(node: JsonNode, indent: string, before: string, after: string): void {
    const items = itemsOf(text, node)
    if (items.length === 0) {
      const empty = node.kind === 'object' ? '{}' : '[]'
      const isEmpty = node.kind === 'object' || node.kind === 'array'
      lines.push(`${indent}${before}${isEmpty ? empty : text.slice(node.from, node.to)}${after}`)
      return
    }
    const [open, close] = node.kind === 'object' ? '{}' : '[]'
    lines.push(`${indent}${before}${open}`)
    items.forEach(({ name, node: item }, i) => {
      write(item, `${indent}  `, name === undefined ? '' : `${name}: `, i < items.length - 1 ? ',' : '')
    })
    lines.push(`${indent}${close}${after}`)
  }
}

/**
 * Characters that would reorder or hide what is around them, written as JSON escapes. In a JSON text they can only be in
 * strings, so it stays the same value.
 */
export function withoutTricks(jsonText: string): string {
  return jsonText.replace(
    /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
