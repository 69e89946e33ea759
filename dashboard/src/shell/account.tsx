import { useWho } from '../api/who.ts'
import { Button } from '../ui/button.tsx'
import { toastFailure } from '../ui/toast.tsx'
import styles from './nav.module.css'
import { signOut } from './sign-in.tsx'

/** Whose key is used, where keys are wanted. */
export function Account() {
  const who = useWho()
  if (!who?.authRequired || who.key === null) return null
  const leave = () => signOut().catch((error: unknown) => toastFailure('Signing out', error))
  return (
    <div className={styles.account}>
      <span className={styles.who} title={`May: ${who.key.scopes.join(', ')}`}>
        {who.key.name}
      </span>
      <Button small look="quiet" onClick={() => void leave()}>
        Sign out
      </Button>
    </div>
  )
}
