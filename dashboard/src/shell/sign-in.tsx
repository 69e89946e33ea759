import { type FormEvent, useState } from 'react'
import { api } from '../api/client.ts'
import { queryClient } from '../api/query-client.ts'
import { setKeyWanted } from '../api/session.ts'
import { reconnect, startLive } from '../live/live.ts'
import { Button } from '../ui/button.tsx'
import { TextField } from '../ui/field.tsx'
import styles from './sign-in.module.css'

/** Shown in place of every page when the API wants a key. */
export function SignIn() {
  const [key, setKey] = useState('')
  const [problem, setProblem] = useState<string>()
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    setProblem(await signIn(key.trim()))
  }
  return (
    <main className={styles.signIn}>
      <title>Sign in · Millrace</title>
      <form onSubmit={submit} className={styles.form}>
        <img src="/dashboard/icon.svg" alt="" width="32" height="32" />
        <h1>Sign in</h1>
        <p>This Millrace wants an API key. With one that may only read, the page only shows.</p>
        <TextField
          label="API key"
          type="password"
          autoFocus
          required
          value={key}
          onChange={({ target }) => setKey(target.value)}
          hint="The key itself is not kept, only a cookie that no script can read."
          problem={problem}
        />
        <Button type="submit" look="primary">
          Sign in
        </Button>
      </form>
    </main>
  )
}

/** Answers why it did not work. */
async function signIn(key: string): Promise<string | undefined> {
  try {
    queryClient.clear()
    queryClient.setQueryData(['who'], await api().signIn(key))
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  setKeyWanted(false)
  startLive()
  reconnect()
  return undefined
}

/** Ends the session, and forgets all that was read with it. */
export async function signOut(): Promise<void> {
  await api().signOut()
  setKeyWanted(true)
  queryClient.clear()
  reconnect()
}
