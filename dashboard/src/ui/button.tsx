import type { ComponentProps } from 'react'
import styles from './button.module.css'
import { classNames } from './class-names.ts'
import { Icon, type IconName } from './icon.tsx'

type Look = 'plain' | 'primary' | 'danger' | 'quiet'

export type ButtonProps = ComponentProps<'button'> & { look?: Look; small?: boolean; icon?: IconName }

export function Button({ look = 'plain', small, icon, className, children, ...rest }: ButtonProps) {
  return (
    <button type="button" className={classNames(buttonClass(look, small), className)} {...rest}>
      {icon && <Icon name={icon} size={small ? 14 : 16} />}
      {children}
    </button>
  )
}

/** A button of a picture alone. `label` is what it is called. */
export function IconButton({
  label,
  icon,
  small,
  look = 'quiet',
  ...rest
}: Omit<ButtonProps, 'children'> & { label: string; icon: IconName }) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className={classNames(buttonClass(look, small), styles.square)}
      {...rest}
    >
      <Icon name={icon} size={small ? 14 : 16} />
    </button>
  )
}

/** For links that look like buttons. */
export function buttonClass(look: Look = 'plain', small = false): string {
  return classNames(styles.button, look !== 'plain' && styles[look], small && styles.small)
}
