import { useNavigate } from '@tanstack/react-router'
import { type ClipboardEvent, type KeyboardEvent, useEffect, useId, useRef, useState } from 'react'
import { useStats } from '../../live/live.ts'
import { Button, IconButton } from '../../ui/button.tsx'
import { classNames } from '../../ui/class-names.ts'
import { useHotkeys } from '../../ui/hotkeys.ts'
import { Icon } from '../../ui/icon.tsx'
import { type Known, type Proposal, proposals, typeFamilies } from './filter/complete.ts'
import type { Filter } from './filter/fields.ts'
import { pastedId, readFilter, textOf } from './filter/tokens.ts'
import styles from './filter-box.module.css'

type FilterBoxProps = { filter: Filter; apply: (filter: Filter) => void; leave: () => void }

/** One line that says which tasks are meant. An id that is pasted opens its task. */
export function FilterBox(props: FilterBoxProps) {
  const box = useBox(props)
  const { input, list, text, chosen, shown, faults, isChanged } = box
  return (
    <search className={styles.search}>
      <div className={styles.box}>
        <Icon name="search" size={14} />
        <input
          ref={input}
          className={styles.input}
          role="combobox"
          aria-label="Filter"
          aria-expanded={shown.length > 0}
          aria-controls={list}
          aria-autocomplete="list"
          aria-invalid={faults.length > 0}
          aria-describedby={`${list}-fault`}
          aria-activedescendant={chosen >= 0 && shown.length > 0 ? `${list}-${chosen}` : undefined}
          placeholder="status:failed type:email.* age:<1h, or paste an id"
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          value={text}
          onChange={({ target }) => box.type(target.value, target.selectionStart ?? target.value.length)}
          onSelect={({ currentTarget }) => box.setCaret(currentTarget.selectionStart ?? 0)}
          onFocus={() => box.setOpen(true)}
          onBlur={() => box.setOpen(false)}
          onPaste={(event) => openPasted(event, text, box.openTask)}
          onKeyDown={box.onKeyDown}
        />
        {text !== '' && <IconButton label="Clear the filter" icon="close" small onClick={box.clear} />}
        {isChanged ? (
          <Button small look="primary" onClick={box.submit}>
            Apply
          </Button>
        ) : (
          <kbd className={styles.hint}>/</kbd>
        )}
      </div>
      <Proposals id={list} shown={shown} chosen={chosen} take={box.take} />
      <p id={`${list}-fault`} role="status" className={styles.fault}>
        {isChanged && faults[0]?.detail}
      </p>
    </search>
  )
}

function Proposals({
  id,
  shown,
  chosen,
  take,
}: {
  id: string
  shown: readonly Proposal[]
  chosen: number
  take: (proposal: Proposal) => void
}) {
  return (
    <div role="listbox" id={id} aria-label="Proposals" className={styles.list} hidden={shown.length === 0}>
      {shown.map((proposal, i) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the input has the keyboard
        <div
          key={proposal.label}
          id={`${id}-${i}`}
          role="option"
          tabIndex={-1}
          aria-selected={i === chosen}
          className={classNames(styles.option, i === chosen && styles.chosen)}
          // Before the input loses the focus and the list goes.
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => take(proposal)}
        >
          <span className={styles.label}>{proposal.label}</span>
          <span className={styles.about}>{proposal.about}</span>
        </div>
      ))}
    </div>
  )
}

function useBox({ filter, apply, leave }: FilterBoxProps) {
  const navigate = useNavigate()
  const applied = textOf(filter)
  const [text, setText] = useState(applied)
  const input = useRef<HTMLInputElement>(null)
  const offers = useProposals(text)
  const { shown, setOpen } = offers
  // Back and forward, and views, change what is applied.
  useEffect(() => setText(applied), [applied])
  useHotkeys([{ keys: '/', label: 'Filter', group: 'Tasks', run: () => input.current?.focus() }])
  const { faults, filter: read } = readFilter(text)

  const type = (next: string, at: number) => {
    setText(next)
    offers.begin(at)
  }
  const openTask = (id: string) => void navigate({ href: `/dashboard/tasks/${id}` })
  const submit = () => {
    const id = pastedId(text)
    const [fault] = faults
    if (id) openTask(id)
    else if (fault) input.current?.setSelectionRange(fault.from, fault.to)
    else {
      setText(textOf(read))
      apply(read)
    }
    setOpen(fault !== undefined)
  }
  const take = (proposal: Proposal) => {
    const next = text.slice(0, proposal.from) + proposal.text + text.slice(proposal.to).trimStart()
    const at = proposal.from + proposal.text.length
    type(next, at)
    requestAnimationFrame(() => input.current?.setSelectionRange(at, at))
    // A value completes what was meant; a name alone does not.
    const whole = readFilter(next)
    if (!proposal.text.endsWith(' ') || whole.faults.length > 0) return
    apply(whole.filter)
    setOpen(false)
  }
  const goBack = () => {
    if (shown.length > 0) return setOpen(false)
    setText(applied)
    leave()
  }
  return {
    ...offers,
    ...{ input, text, faults, type, take, submit, openTask },
    isChanged: text.trim() !== applied && (faults.length > 0 || textOf(read) !== applied),
    clear: () => {
      setText('')
      apply({})
      input.current?.focus()
    },
    onKeyDown: (event: KeyboardEvent) => {
      if (!press(event, offers, { text, take, submit, goBack, leave })) event.preventDefault()
    },
  }
}

/** An id in place of the whole text opens its task at once. */
function openPasted(event: ClipboardEvent<HTMLInputElement>, text: string, open: (id: string) => void): void {
  const { selectionStart, selectionEnd } = event.currentTarget
  const isWhole = (selectionEnd ?? 0) - (selectionStart ?? 0) === text.length
  const id = isWhole ? pastedId(event.clipboardData.getData('text')) : undefined
  if (!id) return
  event.preventDefault()
  open(id)
}

type Offers = ReturnType<typeof useProposals>

/** What may be meant at the caret, and which of it is chosen. */
function useProposals(text: string) {
  const [caret, setCaret] = useState(0)
  const [chosen, choose] = useState(-1)
  const [isOpen, setOpen] = useState(false)
  const list = useId()
  const known = useKnown()
  const shown = isOpen ? proposals(text, caret, known) : []
  const begin = (at: number) => {
    setCaret(at)
    choose(-1)
    setOpen(true)
  }
  return { list, caret, setCaret, chosen, choose, shown, setOpen, begin }
}

type Acts = {
  text: string
  take: (proposal: Proposal) => void
  submit: () => void
  goBack: () => void
  leave: () => void
}

/** What a key does in the box; true if it is left to the browser. */
function press({ key, shiftKey }: KeyboardEvent, offers: Offers, acts: Acts): boolean {
  const { shown, chosen, choose, caret } = offers
  const n = shown.length
  const offered = shown[Math.max(0, chosen)]
  if (key === 'ArrowDown' && n > 0) choose((chosen + 1) % n)
  else if (key === 'ArrowUp' && n > 0) choose(((chosen + n + 1) % (n + 1)) - 1)
  else if (key === 'ArrowDown') acts.leave()
  else if (key === 'Enter' && chosen >= 0 && offered) acts.take(offered)
  else if (key === 'Enter') acts.submit()
  else if (key === 'Escape') acts.goBack()
  else if (key === 'Tab' && !shiftKey && offered && !offered.isTyped && /\S$/.test(acts.text.slice(0, caret)))
    acts.take(offered)
  else return true
  return false
}

/** What there is in the system to filter by. */
function useKnown(): Known {
  const stats = useStats()
  const types = stats?.types.map(({ type }) => type) ?? []
  return {
    type: [...typeFamilies(types), ...types],
    queue: stats?.queues.map(({ queue }) => queue) ?? [],
  }
}
