import { Link } from '@tanstack/react-router'
import { Fragment } from 'react'
import { useStats } from '../live/live.ts'
import { compact } from '../ui/format.ts'
import { Icon } from '../ui/icon.tsx'
import { Account } from './account.tsx'
import { ConnectionState } from './connection.tsx'
import { modKey } from './keys.tsx'
import styles from './nav.module.css'
import { type Place, places } from './places.ts'

export function Nav({ onSearch, onShortcuts }: { onSearch: () => void; onShortcuts: () => void }) {
  const groups = [...new Set(places.map(({ group }) => group))]
  return (
    <div className={styles.nav}>
      <div className={styles.brand}>
        <img src="/dashboard/icon.svg" alt="" width="20" height="20" />
        Millrace
      </div>
      <button type="button" className={styles.search} onClick={onSearch}>
        <Icon name="search" size={14} />
        Search
        <kbd>{modKey}K</kbd>
      </button>
      <nav aria-label="Pages">
        {groups.map((group) => (
          <Fragment key={group}>
            {group > 0 && <hr className={styles.line} />}
            <ul>
              {places
                .filter((place) => place.group === group)
                .map((place) => (
                  <li key={place.label}>
                    <PlaceLink {...place} />
                  </li>
                ))}
            </ul>
          </Fragment>
        ))}
      </nav>
      <Account />
      <div className={styles.foot}>
        <ConnectionState />
        <button type="button" className={styles.help} onClick={onShortcuts} aria-label="Keyboard shortcuts">
          <kbd>?</kbd>
        </button>
      </div>
    </div>
  )
}

function PlaceLink({ to, label, icon }: Place) {
  return (
    <Link
      to={to}
      className={styles.link}
      activeOptions={{ exact: to === '/', includeSearch: false }}
      activeProps={{ className: styles.active, 'aria-current': 'page' }}
    >
      <Icon name={icon} />
      {label}
      {label === 'Errors' && <FailedCount />}
    </Link>
  )
}

function FailedCount() {
  const failed = useStats()?.counts.failed ?? 0
  return failed > 0 ? <span className={styles.count}>{compact(failed)}</span> : null
}
