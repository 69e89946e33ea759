import { Outlet, useNavigate, useRouterState } from '@tanstack/react-router'
import { lazy, Suspense, useEffect, useState } from 'react'
import { useIsKeyWanted } from '../api/session.ts'
import { IconButton } from '../ui/button.tsx'
import { ConfirmHost } from '../ui/confirm.tsx'
import { onKey, useHotkeys } from '../ui/hotkeys.ts'
import { Toasts } from '../ui/toast.tsx'
import { Nav } from './nav.tsx'
import type { Overlay } from './overlays.tsx'
import { places } from './places.ts'
import styles from './shell.module.css'
import { SignIn } from './sign-in.tsx'

const Overlays = lazy(() => import('./overlays.tsx'))

/** What is around every page. */
export function Shell() {
  const [open, setOpen] = useState<Overlay>('nothing')
  const isKeyWanted = useIsKeyWanted()
  const [wasOpened, setWasOpened] = useState(false)
  if (open !== 'nothing' && !wasOpened) setWasOpened(true)
  useKeys(setOpen)
  const path = useRouterState({ select: ({ location }) => location.pathname })
  // biome-ignore lint/correctness/useExhaustiveDependencies: who has gone elsewhere needs no navigation any more
  useEffect(() => setOpen('nothing'), [path])
  if (isKeyWanted) return <SignIn />
  return (
    <div className={styles.shell}>
      <a href="#main" className={styles.skip}>
        Skip to the page
      </a>
      <aside className={styles.side}>
        <Nav onSearch={() => setOpen('palette')} onShortcuts={() => setOpen('shortcuts')} />
      </aside>
      <header className={styles.top}>
        <IconButton label="Navigation" icon="menu" onClick={() => setOpen('navigation')} />
        <span className={styles.name}>Millrace</span>
        <IconButton label="Search and commands" icon="search" onClick={() => setOpen('palette')} />
      </header>
      <main id="main" tabIndex={-1} className={styles.main}>
        <Outlet />
      </main>
      <Suspense>{wasOpened && <Overlays open={open} setOpen={setOpen} />}</Suspense>
      <ConfirmHost />
      <Toasts />
    </div>
  )
}

function useKeys(open: (what: Overlay) => void): void {
  const navigate = useNavigate()
  useEffect(() => {
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [])
  useHotkeys([
    ...places.map(({ keys, label, to }) => ({
      keys,
      label,
      group: 'Go to',
      run: () => void navigate({ to }),
    })),
    { keys: 'mod+k', label: 'Search and commands', group: 'Everywhere', run: () => open('palette') },
    { keys: '?', label: 'Keyboard shortcuts', group: 'Everywhere', run: () => open('shortcuts') },
  ])
}
