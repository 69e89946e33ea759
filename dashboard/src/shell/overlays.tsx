import { Dialog } from '../ui/dialog.tsx'
import { Nav } from './nav.tsx'
import { Palette } from './palette.tsx'
import { Shortcuts } from './shortcuts.tsx'

export type Overlay = 'nothing' | 'palette' | 'shortcuts' | 'navigation'

type OverlaysProps = { open: Overlay; setOpen: (open: Overlay) => void }

/** What opens over the page. Loaded when the first of them does. */
export default function Overlays({ open, setOpen }: OverlaysProps) {
  const close = () => setOpen('nothing')
  return (
    <>
      <Dialog open={open === 'navigation'} onClose={close} title="Navigation" place="side" hideTitle>
        <Nav onSearch={() => setOpen('palette')} onShortcuts={() => setOpen('shortcuts')} />
      </Dialog>
      <Palette open={open === 'palette'} onClose={close} />
      <Shortcuts open={open === 'shortcuts'} onClose={close} />
    </>
  )
}
