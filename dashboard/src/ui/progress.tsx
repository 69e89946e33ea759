import styles from './progress.module.css'

export type Part = { value: number; tone: 'good' | 'bad' | 'muted' | 'accent' }

/** How much of a whole is done, by how it ended. */
export function ProgressBar({
  total,
  parts,
  label,
}: {
  total: number
  parts: readonly Part[]
  label: string
}) {
  const done = parts.reduce((sum, part) => sum + part.value, 0)
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={total > 0 ? Math.floor((100 * done) / total) : 0}
      className={styles.bar}
    >
      {parts.map(({ value, tone }) =>
        value > 0 ? (
          <span
            key={tone}
            className={styles[tone]}
            style={{ width: `${(100 * value) / Math.max(1, total)}%` }}
          />
        ) : null,
      )}
    </div>
  )
}
