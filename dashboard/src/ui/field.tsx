import { type ComponentProps, type ReactNode, useId } from 'react'
import styles from './field.module.css'

type Around = { label: string; hint?: ReactNode; problem?: string | undefined }

/** A labeled input. `problem` is what is wrong with what it says. */
export function TextField({ label, hint, problem, ...rest }: Around & ComponentProps<'input'>) {
  const id = useId()
  return (
    <Field id={id} {...{ label, hint, problem }}>
      <input
        id={id}
        className={styles.input}
        aria-invalid={problem !== undefined}
        aria-describedby={`${id}-about`}
        autoComplete="off"
        spellCheck={false}
        {...rest}
      />
    </Field>
  )
}

export function TextArea({ label, hint, problem, ...rest }: Around & ComponentProps<'textarea'>) {
  const id = useId()
  return (
    <Field id={id} {...{ label, hint, problem }}>
      <textarea
        id={id}
        className={styles.input}
        aria-invalid={problem !== undefined}
        aria-describedby={`${id}-about`}
        spellCheck={false}
        {...rest}
      />
    </Field>
  )
}

export function Select({
  label,
  hint,
  problem,
  options,
  ...rest
}: Around & ComponentProps<'select'> & { options: readonly (readonly [value: string, text: string])[] }) {
  const id = useId()
  return (
    <Field id={id} {...{ label, hint, problem }}>
      <select id={id} className={styles.input} aria-describedby={`${id}-about`} {...rest}>
        {options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </Field>
  )
}

function Field({ id, label, hint, problem, children }: Around & { id: string; children: ReactNode }) {
  return (
    <div className={styles.field}>
      <label htmlFor={id} className={styles.label}>
        {label}
      </label>
      {children}
      <div id={`${id}-about`} className={problem ? styles.problem : styles.hint}>
        {problem ?? hint}
      </div>
    </div>
  )
}
