import { useNavigate } from '@tanstack/react-router'
import { type KeyboardEvent, useId, useState } from 'react'
import type { Stats } from '../../../src/client/index.ts'
import { useStats } from '../live/live.ts'
import { classNames } from '../ui/class-names.ts'
import { Dialog } from '../ui/dialog.tsx'
import { useHotkeyList } from '../ui/hotkeys.ts'
import { Keys } from './keys.tsx'
import styles from './palette.module.css'
import { rank } from './rank.ts'

type Command = { label: string; group: string; keys?: string; run: () => void }

/** Everything that can be reached by typing what it is called; an id opens its task. */
export function Palette({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog open={open} onClose={onClose} title="Search and commands" place="top" wide hideTitle>
      <PaletteList onClose={onClose} />
    </Dialog>
  )
}

function PaletteList({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState('')
  const [chosen, choose] = useState(0)
  const list = useId()
  const found = useCommands(text)
  const run = (command: Command | undefined) => {
    if (command === undefined) return
    onClose()
    command.run()
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (step !== 0) choose((chosen + step + found.length) % Math.max(1, found.length))
    else if (event.key === 'Enter') run(found[chosen])
    else return
    event.preventDefault()
  }
  return (
    <>
      <input
        className={styles.input}
        role="combobox"
        aria-label="Search and commands"
        aria-expanded="true"
        aria-controls={list}
        aria-activedescendant={found.length > 0 ? `${list}-${chosen}` : undefined}
        placeholder="A page, a command, or the id of a task"
        value={text}
        onChange={({ target }) => {
          setText(target.value)
          choose(0)
        }}
        onKeyDown={onKeyDown}
      />
      <div role="listbox" id={list} aria-label="Found" className={styles.list}>
        {found.map((command, i) => (
          <Choice
            key={`${command.group} ${command.label}`}
            id={`${list}-${i}`}
            {...command}
            isChosen={i === chosen}
            run={() => run(command)}
          />
        ))}
      </div>
      {found.length === 0 && <p className={styles.none}>Nothing is called that.</p>}
    </>
  )
}

function Choice({ id, label, group, keys, isChosen, run }: Command & { id: string; isChosen: boolean }) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the input has the keyboard, and its Enter runs the chosen one
    <div
      id={id}
      role="option"
      tabIndex={-1}
      aria-selected={isChosen}
      ref={(element) => {
        if (isChosen) element?.scrollIntoView({ block: 'nearest' })
      }}
      className={classNames(styles.choice, isChosen && styles.chosen)}
      onClick={run}
    >
      <span>{label}</span>
      <span className={styles.about}>
        {group}
        {keys && <Keys keys={keys} />}
      </span>
    </div>
  )
}

/** More than one would read. */
const mostFound = 50

/** The tasks of each queue and of each type. */
function listsOf(stats: Stats | undefined) {
  const group = 'Tasks of'
  const queues =
    stats?.queues.map(({ queue }) => ({ label: `queue ${queue}`, group, search: { queue } })) ?? []
  const types = stats?.types.map(({ type }) => ({ label: `type ${type}`, group, search: { type } })) ?? []
  return [...queues, ...types]
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

function useCommands(text: string): readonly Command[] {
  const navigate = useNavigate()
  const hotkeys = useHotkeyList().filter(({ keys }) => keys !== 'mod+k')
  const stats = useStats()
  const wanted = text.trim()
  if (uuid.test(wanted)) {
    const run = () => void navigate({ href: `/dashboard/tasks/${wanted.toLowerCase()}` })
    return [{ label: wanted, group: 'Open the task', run }]
  }
  const lists = wanted === '' ? [] : listsOf(stats)
  const open = ({ search, ...named }: (typeof lists)[number]) => ({
    ...named,
    run: () => void navigate({ to: '/tasks', search }),
  })
  return rank([...hotkeys, ...lists.map(open)], wanted).slice(0, mostFound)
}
