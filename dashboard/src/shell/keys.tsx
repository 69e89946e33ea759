import { Fragment } from 'react'

const isMac = /Mac|iPhone|iPad/.test(navigator.platform)
export const modKey = isMac ? '⌘' : 'Ctrl '

/** The keys of a shortcut, as they stand on a keyboard. */
export function Keys({ keys }: { keys: string }) {
  return (
    <span>
      {keys.split(' ').map((key, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the keys of a shortcut never change places
        <Fragment key={`${key}${i}`}>
          {i > 0 && ' then '}
          <kbd>{key.startsWith('mod+') ? `${modKey}${key.slice(4).toUpperCase()}` : key}</kbd>
        </Fragment>
      ))}
    </span>
  )
}
