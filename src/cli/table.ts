import { bold, printable } from './words.ts'

export type Row = Readonly<Record<string, unknown>>

export type Column = {
  title: string
  /** Characters; the columns without one share what is left of the line. */
  width?: number
  align?: 'right'
  /** Never cut; for a last column. */
  whole?: true
  of(row: Row): unknown
  /** Colors the cell, which has its full width by then. */
  paint?(cell: string, row: Row): string
}

const gap = '  '
const narrowest = 8

/** Lines of a table that fits the terminal. Widths do not depend on the rows, so rows can come page by page. */
export function tableOf(columns: readonly Column[], lineWidth: number) {
  const widths = widthsOf(columns, lineWidth)
  return {
    head: (): string =>
      bold(line(columns.map(({ title }, at) => fitted(title, widths[at]!, columns[at]!.align)))),
    row: (row: Row): string =>
      line(
        columns.map((column, at) => {
          const value = text(column.of(row))
          const cell = column.whole ? value : fitted(value, widths[at]!, column.align)
          return column.paint ? column.paint(cell, row) : cell
        }),
      ),
  }
}

function widthsOf(columns: readonly Column[], lineWidth: number): number[] {
  const fixed = columns.reduce((sum, { width = 0 }) => sum + width, gap.length * (columns.length - 1))
  const open = columns.filter(({ width }) => width === undefined).length
  const share = Math.max(narrowest, Math.floor((lineWidth - fixed) / Math.max(1, open)))
  return columns.map(({ width }) => width ?? share)
}

function line(cells: string[]): string {
  return cells.join(gap).trimEnd()
}

/** A number with digits missing would be another number, so those are never cut. */
function fitted(cell: string, width: number, align?: 'right'): string {
  if (align === 'right') return cell.padStart(width)
  return cell.length > width ? `${cell.slice(0, width - 1)}…` : cell.padEnd(width)
}

function text(value: unknown): string {
  return value === null || value === undefined || value === ''
    ? '-'
    : printable(String(value)).replace(/\s+/g, ' ')
}

/** `name   value` lines with the names aligned; values keep their length. */
export function factsOf(facts: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...facts.map(([name]) => name.length))
  return facts.map(([name, value]) => `${bold(name.padEnd(width))}  ${printable(value)}`)
}
