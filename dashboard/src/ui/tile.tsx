import { Link, type LinkProps } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { classNames } from './class-names.ts'
import { Sparkline } from './sparkline.tsx'
import styles from './tile.module.css'

export type TileProps = {
  label: string
  value: ReactNode
  /** Beside the value, smaller. */
  unit?: ReactNode
  trend?: readonly number[] | undefined
  /** The list behind the number. */
  to: NonNullable<LinkProps['to']>
  search?: Record<string, string>
  tone?: 'bad' | undefined
}

/** A row of numbers. */
export function Tiles({ children }: { children: ReactNode }) {
  return <div className={styles.tiles}>{children}</div>
}

/** A number that leads to the list behind it. */
export function Tile({ label, value, unit, trend, to, search, tone }: TileProps) {
  return (
    <Link to={to} {...(search ? { search } : {})} className={styles.tile}>
      <span className={styles.label}>{label}</span>
      <span className={classNames(styles.value, tone && styles[tone])}>
        {value}
        {unit !== undefined && <small>{unit}</small>}
      </span>
      <span className={styles.trend}>{trend && <Sparkline values={trend} tone={tone ?? 'accent'} />}</span>
    </Link>
  )
}
