/** Those whose label has the letters of `text` in their order, best first: at the beginning of words before elsewhere. */
export function rank<Item extends { label: string }>(items: readonly Item[], text: string): readonly Item[] {
  if (text === '') return items
  return items
    .map((item) => ({ item, score: scoreOf(item.label.toLowerCase(), text.toLowerCase()) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .map(({ item }) => item)
}

function scoreOf(label: string, text: string): number {
  if (label.startsWith(text)) return 4
  if (label.split(' ').some((word) => word.startsWith(text))) return 3
  if (label.includes(text)) return 2
  let at = -1
  for (const letter of text) {
    at = label.indexOf(letter, at + 1)
    if (at === -1) return 0
  }
  return 1
}
