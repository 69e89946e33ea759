import { useMemo, useState } from 'react'
import { Button, IconButton } from '../button.tsx'
import { classNames } from '../class-names.ts'
import { copy } from '../code-block.tsx'
import { bytes, count } from '../format.ts'
import { Icon } from '../icon.tsx'
import styles from './json-view.module.css'
import { indented, itemsOf, type JsonItem, type JsonNode, rootOf, withoutTricks } from './tree.ts'

/** Texts up to this are opened as a whole; of longer ones the first levels are. */
const openUpToLength = 3_000
const openLevels = 2
const openItems = 30
const itemsAtOnce = 100
const shownCharacters = 600
/** Longer texts are not indented, which would take them twice. */
const indentUpToLength = 300_000

/** A JSON value with every number and string as it was written. Parts that are not open cost nothing. */
export function JsonView({ text, label }: { text: string; label: string }) {
  const [isRaw, setRaw] = useState(false)
  const root = useMemo(() => rootOf(text), [text])
  const isTree = root.kind === 'object' || root.kind === 'array'
  return (
    <div className={styles.view}>
      <div className={styles.tools}>
        <span className={styles.size}>{bytes(new Blob([text]).size)}</span>
        {isTree && (
          <Button small look="quiet" aria-pressed={isRaw} onClick={() => setRaw(!isRaw)}>
            Raw
          </Button>
        )}
        <IconButton label={`Copy: ${label}`} icon="copy" small onClick={() => void copy(text)} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard */}
      <section tabIndex={0} aria-label={`${label} as JSON`} className={styles.scroll}>
        {isRaw ? <Raw text={text} /> : <Node key={text} text={text} node={root} level={0} name={undefined} />}
      </section>
    </div>
  )
}

function Raw({ text }: { text: string }) {
  const shown = useMemo(() => withoutTricks(text.length <= indentUpToLength ? indented(text) : text), [text])
  return <pre className={styles.raw}>{shown}</pre>
}

type NodeProps = { text: string; node: JsonNode; level: number; name: string | undefined }

function Node(props: NodeProps) {
  const { text, node, name } = props
  if (node.kind === 'object' || node.kind === 'array') return <Container {...props} />
  return (
    <div className={styles.line}>
      <Name name={name} />
      <Scalar kind={node.kind} text={text.slice(node.from, node.to)} />
    </div>
  )
}

function Name({ name }: { name: string | undefined }) {
  if (name === undefined) return null
  return (
    <>
      <span className={styles.name}>{withoutTricks(name)}</span>
      {': '}
    </>
  )
}

function Scalar({ kind, text }: { kind: JsonNode['kind']; text: string }) {
  const [isWhole, setWhole] = useState(text.length <= shownCharacters * 1.5)
  return (
    <>
      <span className={classNames(styles.value, styles[kind])}>
        {withoutTricks(isWhole ? text : text.slice(0, shownCharacters))}
      </span>
      {!isWhole && (
        <button type="button" className={styles.more} onClick={() => setWhole(true)}>
          … show all {count(text.length)} characters
        </button>
      )}
    </>
  )
}

function Container({ text, node, level, name }: NodeProps) {
  const items = useMemo(() => itemsOf(text, node), [text, node])
  const isSmall = text.length <= openUpToLength || (level < openLevels && items.length <= openItems)
  const [isOpen, setOpen] = useState(level === 0 || isSmall)
  const [open, close] = node.kind === 'object' ? '{}' : '[]'
  const what = node.kind === 'object' ? 'member' : 'item'
  if (items.length === 0)
    return (
      <div className={styles.line}>
        <Name name={name} />
        {open}
        {close}
      </div>
    )
  return (
    <div>
      <div className={styles.line}>
        <button
          type="button"
          aria-expanded={isOpen}
          className={styles.toggle}
          onClick={() => setOpen(!isOpen)}
        >
          <Icon name="chevron" size={12} />
          <Name name={name} />
          {open}
          <span className={styles.count}>
            {count(items.length)} {what}
            {items.length === 1 ? '' : 's'}
          </span>
          {!isOpen && close}
        </button>
      </div>
      {isOpen && (
        <>
          <Items text={text} items={items} level={level + 1} />
          <div className={styles.line}>{close}</div>
        </>
      )}
    </div>
  )
}

function Items({ text, items, level }: { text: string; items: readonly JsonItem[]; level: number }) {
  const [shown, show] = useState(itemsAtOnce)
  const left = items.length - shown
  return (
    <div className={styles.items}>
      {items.slice(0, shown).map(({ name, node }) => (
        <Node key={node.from} text={text} node={node} level={level} name={name} />
      ))}
      {left > 0 && (
        <button type="button" className={styles.more} onClick={() => show(shown + itemsAtOnce)}>
          … show {count(Math.min(left, itemsAtOnce))} more of {count(left)}
        </button>
      )}
    </div>
  )
}
