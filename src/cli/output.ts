import { type Command, Option } from 'commander'
import { memberTexts } from '../client/json-text.ts'
import { type Column, type Row, tableOf } from './table.ts'
import { printableJson } from './words.ts'

const formats = ['table', 'json', 'jsonl', 'ids'] as const
type Format = (typeof formats)[number]

export type OutputOptions = { output?: Format }

export function withOutput(command: Command, choices: readonly Format[] = formats): Command {
  const option = new Option('-o, --output <format>', 'table on a terminal, jsonl when piped')
  return command.addOption(option.choices(choices))
}

export function formatOf({ output }: OutputOptions): Format {
  return output ?? (process.stdout.isTTY ? 'table' : 'jsonl')
}

/** Data goes to stdout, and nothing else does. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** JSON reaches a file or a pipe as the server sent it; on a terminal nothing in it is a command. */
export function printJson(text: string): void {
  print(asShown(text))
}

function asShown(text: string): string {
  return process.stdout.isTTY ? printableJson(text) : text
}

export type Printer = {
  /** Rows as the JSON texts in which the server sent them: every number comes out as it went in. */
  rows(texts: readonly string[]): void
  end(): void
}

/** Prints rows as they come, in the format that was asked for. */
export function printerFor(options: OutputOptions, columns: readonly Column[]): Printer {
  const format = formatOf(options)
  if (format === 'table') return tablePrinter(columns)
  if (format === 'json') return arrayPrinter()
  const lineOf = format === 'ids' ? idIn : onOneLine
  return { rows: (texts) => texts.forEach((text) => void printJson(lineOf(text))), end: () => {} }
}

/** Prints one thing; `linesOf` is how people read it. */
export function printOne(
  options: OutputOptions,
  text: string,
  linesOf: (row: Row) => readonly string[],
): void {
  const format = formatOf(options)
  if (format === 'table') linesOf(JSON.parse(text)).forEach((line) => void print(line))
  else printJson(format === 'ids' ? idIn(text) : format === 'json' ? text : onOneLine(text))
}

/** Inside of strings JSON has no line ends, so those that are there mean nothing. */
function onOneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ')
}

function idIn(text: string): string {
  return String(JSON.parse(memberTexts(text).get('id') ?? '""'))
}

function tablePrinter(columns: readonly Column[]): Printer {
  const table = tableOf(columns, process.stdout.columns ?? 120)
  let isBegun = false
  return { rows, end: () => {} }

  function rows(texts: readonly string[]) {
    if (!isBegun && texts.length > 0) print(table.head())
    isBegun ||= texts.length > 0
    for (const text of texts) print(table.row(JSON.parse(text)))
  }
}

function arrayPrinter(): Printer {
  let before = '['
  return {
    rows: (texts) => {
      for (const text of texts) {
        process.stdout.write(`${before}\n${asShown(text)}`)
        before = ','
      }
    },
    end: () => print(before === '[' ? '[]' : '\n]'),
  }
}
