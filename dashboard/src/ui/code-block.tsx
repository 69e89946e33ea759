import { IconButton } from './button.tsx'
import styles from './empty.module.css'
import { toast } from './toast.tsx'

/** Text to copy. */
export function CodeBlock({ code, label }: { code: string; label: string }) {
  return (
    <div className={styles.code}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard */}
      <section tabIndex={0} aria-label={label} className={styles.scroll}>
        <pre>{code}</pre>
      </section>
      <IconButton label={`Copy: ${label}`} icon="copy" small onClick={() => void copy(code)} />
    </div>
  )
}

export async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
    toast('Copied')
  } catch {
    toast('The browser does not let this page copy; select the text instead', { tone: 'bad' })
  }
}
