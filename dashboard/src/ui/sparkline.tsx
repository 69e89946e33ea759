import styles from './sparkline.module.css'

const width = 120
const height = 28

/** A trend without axes, beside the number that it belongs to. */
export function Sparkline({
  values,
  tone = 'accent',
}: {
  values: readonly number[]
  tone?: 'accent' | 'bad'
}) {
  if (values.length < 2) return null
  const top = Math.max(...values, 1e-9)
  const step = width / (values.length - 1)
  const points = values.map(
    (value, i) => `${(i * step).toFixed(1)},${(height - 2 - (value / top) * (height - 4)).toFixed(1)}`,
  )
  return (
    <svg
      aria-hidden="true"
      className={`${styles.sparkline} ${styles[tone]}`}
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
    >
      <polygon points={`0,${height} ${points.join(' ')} ${width},${height}`} className={styles.area} />
      <polyline points={points.join(' ')} className={styles.line} />
    </svg>
  )
}
