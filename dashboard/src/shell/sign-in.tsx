import { type FormEvent, useState } from 'react'
import { api, keepKey } from '../api/client.ts'
import { queryClient } from '../api/query-client.ts'
import { setKeyWanted } from '../api/session.ts'
import { reconnect } from '../live/live.ts'
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
        <p>This Millrace wants an API key, one of those in its setting API_KEYS.</p>
        <TextField
          label="API key"
          type="password"
          autoFocus
          required
          value={key}
          onChange={({ target }) => setKey(target.value)}
          hint="Kept in this tab only, until it is closed or loaded anew."
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
  keepKey(key)
  try {
    await api().stats()
  } catch (error) {
    keepKey(undefined)
    return error instanceof Error ? error.message : String(error)
  }
  setKeyWanted(false)
  queryClient.clear()
  reconnect()
  return undefined
}
