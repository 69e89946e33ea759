import { useVirtualizer, useWindowVirtualizer } from '@tanstack/react-virtual'
import { type KeyboardEvent, type ReactNode, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { classNames } from './class-names.ts'
import styles from './table.module.css'
import { useWidth } from './use-width.ts'

export type Column<Row> = {
  key: string
  header: ReactNode
  /** A track of a CSS grid, such as `minmax(12rem, 2fr)`. */
  width: string
  /** Numbers end at the same place. */
  align?: 'end'
  /** Hidden where the table is narrower than this many pixels. */
  from?: number
  cell: (row: Row) => ReactNode
}

type TableProps<Row> = {
  /** What it is called for those who do not see it. */
  label: string
  rows: readonly Row[]
  columns: readonly Column<Row>[]
  rowKey: (row: Row) => string
  /** What Enter and a click on a row do. */
  onOpen?: (row: Row) => void
  /** More keys on a row, such as `x` to select it. */
  onRowKey?: (row: Row, event: KeyboardEvent) => void
  isSelected?: (row: Row) => boolean
  /** Scrolls within this height instead of with the page. */
  height?: string
  rowHeightPx?: number
  /** Told which rows are in view, the first and the last. */
  onRange?: (from: number, to: number) => void
}

/** Rows beyond this are made as they come into view. */
const virtualFrom = 60
const defaultRowHeightPx = 40

/**
 * Rows in columns. Arrow keys, j and k, Home and End move between rows, Enter opens one. However many there are, only those
 * in view are in the page.
 */
export function Table<Row>(props: TableProps<Row>) {
  const { label, rows, columns, height } = props
  const frame = useRef<HTMLDivElement>(null)
  const width = useWidth(frame)
  const shown = columns.filter(({ from = 0 }) => width === 0 || width >= from)
  const tracks = shown.map((column) => column.width).join(' ')
  const Body = height === undefined ? (rows.length < virtualFrom ? PlainRows : PageRows) : FrameRows
  return (
    // biome-ignore lint/a11y/useSemanticElements: a table element cannot be virtualized with its columns kept
    <div
      role="table"
      aria-label={label}
      aria-rowcount={rows.length + 1}
      ref={frame}
      className={classNames(styles.table, height !== undefined && styles.frame)}
      style={height === undefined ? {} : { maxHeight: height }}
    >
      <Row className={styles.head} tracks={tracks} index={1}>
        {shown.map(({ key, header, align }) => (
          // biome-ignore lint/a11y/useSemanticElements: see above
          // biome-ignore lint/a11y/useFocusableInteractive: headings are read, not used
          <div key={key} role="columnheader" className={classNames(styles.cell, align && styles.end)}>
            {header}
          </div>
        ))}
      </Row>
      <Body {...props} columns={shown} tracks={tracks} frame={frame} />
    </div>
  )
}

type BodyProps<Row> = TableProps<Row> & { tracks: string; frame: React.RefObject<HTMLDivElement | null> }

function PlainRows<Row>(props: BodyProps<Row>) {
  const { active, attributesOf } = useRows(props)
  const { onRange } = props
  const last = props.rows.length - 1
  useEffect(() => onRange?.(0, last), [onRange, last])
  return (
    // biome-ignore lint/a11y/useSemanticElements: see above
    <div role="rowgroup">
      {props.rows.map((row, i) => (
        <BodyRow
          key={props.rowKey(row)}
          {...props}
          row={row}
          index={i}
          isActive={i === active}
          attributes={attributesOf(row, i)}
        />
      ))}
    </div>
  )
}

function PageRows<Row>(props: BodyProps<Row>) {
  const body = useRef<HTMLDivElement>(null)
  const [offset, setOffset] = useState(0)
  useLayoutEffect(() => setOffset((body.current?.getBoundingClientRect().top ?? 0) + scrollY), [])
  const virtualizer = useWindowVirtualizer({
    count: props.rows.length,
    estimateSize: () => props.rowHeightPx ?? defaultRowHeightPx,
    overscan: 12,
    scrollMargin: offset,
    getItemKey: (i) => props.rowKey(props.rows[i]!),
  })
  return <Virtual {...props} body={body} virtualizer={virtualizer} offset={offset} />
}

function FrameRows<Row>(props: BodyProps<Row>) {
  const body = useRef<HTMLDivElement>(null)
  const virtualizer = useVirtualizer({
    count: props.rows.length,
    estimateSize: () => props.rowHeightPx ?? defaultRowHeightPx,
    overscan: 12,
    getScrollElement: () => props.frame.current,
    getItemKey: (i) => props.rowKey(props.rows[i]!),
  })
  return <Virtual {...props} body={body} virtualizer={virtualizer} offset={0} />
}

type Virtualizer = {
  getTotalSize(): number
  getVirtualItems(): { index: number; start: number }[]
  scrollToIndex(index: number): void
}

function Virtual<Row>({
  body,
  virtualizer,
  offset,
  ...props
}: BodyProps<Row> & {
  body: React.RefObject<HTMLDivElement | null>
  virtualizer: Virtualizer
  offset: number
}) {
  const { active, attributesOf } = useRows(props, virtualizer.scrollToIndex)
  const items = virtualizer.getVirtualItems()
  const { onRange } = props
  const [first = 0, last = 0] = [items[0]?.index, items.at(-1)?.index]
  useEffect(() => onRange?.(first, last), [onRange, first, last])
  return (
    // biome-ignore lint/a11y/useSemanticElements: see above
    <div role="rowgroup" ref={body} className={styles.virtual} style={{ height: virtualizer.getTotalSize() }}>
      {items.map(({ index, start }) => {
        const row = props.rows[index]!
        return (
          <BodyRow
            key={props.rowKey(row)}
            {...props}
            row={row}
            index={index}
            isActive={index === active}
            top={start - offset}
            attributes={attributesOf(row, index)}
          />
        )
      })}
    </div>
  )
}

type RowAttributes = Pick<React.ComponentProps<'div'>, 'onKeyDown' | 'onClick' | 'onFocus'>

/** Which row has the keyboard, and what its keys do. One row of the table is in the order of Tab. */
function useRows<Row>({ rows, onOpen, onRowKey }: BodyProps<Row>, bring: (index: number) => void = () => {}) {
  const [chosen, choose] = useState(0)
  const active = Math.min(chosen, rows.length - 1)
  const go = (from: HTMLElement, to: number) => {
    const index = Math.max(0, Math.min(rows.length - 1, to))
    choose(index)
    bring(index)
    const group = from.closest('[role=rowgroup]')
    const focus = () => group?.querySelector<HTMLElement>(`[data-index="${index}"]`)?.focus()
    // At once where it can be, so that the next key is not the row before's.
    focus()
    requestAnimationFrame(focus)
  }
  const attributesOf = (row: Row, index: number): RowAttributes => ({
    onFocus: () => choose(index),
    onClick: (event) => {
      if (!(event.target as Element).closest('a, button, input, label') && !getSelection()?.toString())
        onOpen?.(row)
    },
    onKeyDown: (event) => {
      if (event.target !== event.currentTarget) return
      const to = targetOf(event, index, rows.length)
      if (to !== undefined) go(event.currentTarget, to)
      else if (event.key === 'Enter' && onOpen) onOpen(row)
      else return onRowKey?.(row, event)
      event.preventDefault()
    },
  })
  return { active, attributesOf }
}

function targetOf(event: KeyboardEvent, index: number, count: number): number | undefined {
  if (event.ctrlKey || event.metaKey || event.altKey) return undefined
  const moves: Record<string, number> = {
    ArrowDown: index + 1,
    j: index + 1,
    ArrowUp: index - 1,
    k: index - 1,
    PageDown: index + 15,
    PageUp: index - 15,
    Home: 0,
    End: count - 1,
  }
  return moves[event.key]
}

type BodyRowProps<Row> = BodyProps<Row> & {
  row: Row
  index: number
  isActive: boolean
  top?: number
  attributes: RowAttributes
}

function BodyRow<Row>({
  columns,
  tracks,
  row,
  index,
  isActive,
  top,
  onOpen,
  isSelected,
  attributes,
}: BodyRowProps<Row>) {
  const selected = isSelected?.(row)
  return (
    <Row
      tracks={tracks}
      index={index + 2}
      className={classNames(
        styles.row,
        onOpen && styles.opens,
        selected && styles.selected,
        top !== undefined && styles.placed,
      )}
      top={top}
      attributes={{
        ...attributes,
        tabIndex: isActive ? 0 : -1,
        'data-index': index,
        ...(selected === undefined ? {} : { 'aria-selected': selected }),
      }}
    >
      {columns.map(({ key, align, cell }) => (
        // biome-ignore lint/a11y/useSemanticElements: see above
        <div key={key} role="cell" className={classNames(styles.cell, align && styles.end)}>
          {cell(row)}
        </div>
      ))}
    </Row>
  )
}

type LineProps = {
  tracks: string
  index: number
  className: string | undefined
  top?: number | undefined
  attributes?: React.ComponentProps<'div'> & { 'data-index'?: number }
  children: ReactNode
}

function Row({ tracks, index, className, top, attributes = {}, children }: LineProps) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: see above
    // biome-ignore lint/a11y/useFocusableInteractive: rows of the body are given a place in the order
    <div
      role="row"
      aria-rowindex={index}
      className={className}
      style={{
        gridTemplateColumns: tracks,
        ...(top === undefined ? {} : { transform: `translateY(${top}px)` }),
      }}
      {...attributes}
    >
      {children}
    </div>
  )
}
