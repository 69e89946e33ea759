import { Dialog } from '../ui/dialog.tsx'
import { type Hotkey, useHotkeyList } from '../ui/hotkeys.ts'
import { Keys } from './keys.tsx'
import styles from './shortcuts.module.css'

const inTables: readonly Hotkey[] = [
  { keys: 'j', label: 'Next row (also ↓)', group: 'In tables', run: () => {} },
  { keys: 'k', label: 'Row before (also ↑)', group: 'In tables', run: () => {} },
  { keys: 'Enter', label: 'Open the row', group: 'In tables', run: () => {} },
]

/** Every key that works here and now. */
export function Shortcuts({ open, onClose }: { open: boolean; onClose: () => void }) {
  const groups = Map.groupBy([...useHotkeyList(), ...inTables], ({ group }) => group)
  return (
    <Dialog open={open} onClose={onClose} title="Keyboard shortcuts" wide>
      <div className={styles.groups}>
        {[...groups].map(([group, hotkeys]) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>
              {hotkeys.map(({ keys, label }) => (
                <div key={keys} className={styles.line}>
                  <dt>{label}</dt>
                  <dd>
                    <Keys keys={keys} />
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  )
}
