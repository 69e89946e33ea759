import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '../..')

export function textOf(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

/** The project's own pages. */
export function pages(): string[] {
  return globSync(['*.md', 'docs/**/*.md', 'deploy/**/*.md', 'examples/**/*.md'], { cwd: root }).sort()
}

/** The code blocks of a page, by language. */
export function blocksOf(file: string, language: string): string[] {
  const blocks = textOf(file).matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)
  return [...blocks].filter(([, lang]) => lang === language).map(([, , code]) => code!)
}

/** The rows of the first table whose head has these titles, after the words `from`, cell by cell. */
export function tableOf(file: string, titles: readonly string[], from = ''): string[][] {
  const lines = textOf(file).slice(textOf(file).indexOf(from)).split('\n')
  const head = lines.findIndex((line) => cellsOf(line).join('|') === titles.join('|'))
  if (head < 0) throw new Error(`${file} has no table of ${titles.join(', ')}`)
  const rest = lines.slice(head + 2)
  const end = rest.findIndex((line) => !line.startsWith('|'))
  return rest.slice(0, end < 0 ? rest.length : end).map(cellsOf)
}

function cellsOf(line: string): string[] {
  if (!line.startsWith('|')) return []
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim())
}

/** What stands in backticks. */
export function codeIn(text: string): string[] {
  return [...text.matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!)
}
