import type { SystemState } from '../../../../src/client/index.ts'
import { type Column, Table } from '../../ui/table.tsx'
import styles from './system.module.css'

type Setting = SystemState['settings'][number]

/** The settings of the process that answered, and where each came from. What is secret is not sent here. */
export function Settings({ settings }: Pick<SystemState, 'settings'>) {
  return <Table label="Settings" rows={settings} columns={columns} rowKey={({ variable }) => variable} />
}

const columns: readonly Column<Setting>[] = [
  {
    key: 'variable',
    header: 'Variable',
    width: 'minmax(8rem, 13rem)',
    cell: ({ variable }) => <code title={variable}>{variable}</code>,
  },
  {
    key: 'value',
    header: 'Value',
    width: 'minmax(6rem, 2fr)',
    cell: ({ value }) => <span title={value}>{value === '' ? '–' : value}</span>,
  },
  {
    key: 'source',
    header: 'From',
    width: '6.5rem',
    from: 560,
    cell: ({ source }) => (source === 'env' ? 'environment' : 'default'),
  },
  {
    key: 'meaning',
    header: 'Meaning',
    width: 'minmax(8rem, 3fr)',
    from: 760,
    cell: ({ meaning }) => (
      <span className={styles.aside} title={meaning}>
        {meaning}
      </span>
    ),
  },
]
