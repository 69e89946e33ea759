import type { StoredError } from '../../../../src/client/index.ts'
import { IconButton } from '../../ui/button.tsx'
import { copy } from '../../ui/code-block.tsx'
import { withoutTricks } from '../../ui/json/tree.ts'
import styles from './task.module.css'

/** What went wrong, as the handler said it. */
export function ErrorView({ error: { name, message, code, stack, attempt } }: { error: StoredError }) {
  const frames = framesOf(stack, name, message)
  return (
    <div className={styles.error}>
      <div className={styles.errorHead}>
        <p className={styles.errorMessage}>
          <b>{withoutTricks(name)}</b>
          {code !== undefined && <code>{withoutTricks(code)}</code>}
          <span className={styles.errorText}>{withoutTricks(message)}</span>
        </p>
        <span className={styles.errorAttempt}>attempt {attempt}</span>
        <IconButton
          label="Copy the error"
          icon="copy"
          small
          onClick={() => void copy(stack ?? `${name}: ${message}`)}
        />
      </div>
      {frames !== '' && (
        <details className={styles.stack} open={frames.length < 1_500}>
          <summary>Stack</summary>
          <pre>{withoutTricks(frames)}</pre>
        </details>
      )}
    </div>
  )
}

/** The stack without its first lines, which only say the message again. */
function framesOf(stack: string | undefined, name: string, message: string): string {
  if (stack === undefined) return ''
  const head = `${name}: ${message}`
  return (stack.startsWith(head) ? stack.slice(head.length) : stack).replace(/^\n+/, '')
}
