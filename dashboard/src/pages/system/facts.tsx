import type { ReactNode } from 'react'
import type { SystemState } from '../../../../src/client/index.ts'
import { bytes, count, duration } from '../../ui/format.ts'
import { Badge } from '../../ui/status.tsx'
import { Ago } from '../../ui/time.tsx'
import styles from './system.module.css'

/** The numbers of the installation. */
export function Facts({ state }: { state: SystemState }) {
  const { version, database, ledger, relay, broker } = state
  const packets = (n: number) => (n >= ledger.mostCounted ? `${count(n)} or more` : count(n))
  return (
    <dl className={styles.facts}>
      <Fact name="Millrace">{version}</Fact>
      <Fact name="PostgreSQL">{database.version ?? '–'}</Fact>
      <Fact name="Database">{database.sizeBytes === null ? '–' : bytes(database.sizeBytes)}</Fact>
      <Fact name="Packets that wait" about="A packet is a row for up to 100 tasks">
        {packets(ledger.waitingPackets)}
      </Fact>
      <Fact name="Packets that workers hold">{packets(ledger.heldPackets)}</Fact>
      <Fact name="Oldest packet">
        {ledger.oldestWaitingAgeMs === null ? '–' : duration(ledger.oldestWaitingAgeMs)}
      </Fact>
      <Fact name="Broker">
        {broker === null ? 'none: PostgreSQL dispatches' : <Broker broker={broker} />}
      </Fact>
      {relay && (
        <Fact name="Relay">
          {duration(relay.lagMs)} behind, {packets(ledger.unsentPackets)} unsent
        </Fact>
      )}
    </dl>
  )
}

function Broker({ broker: { connected, blocked, since } }: { broker: NonNullable<SystemState['broker']> }) {
  const text = blocked === null ? (connected ? 'connected' : 'away') : `blocked: ${blocked}`
  return (
    <>
      <Badge mark={blocked !== null ? 'warn' : connected ? 'ok' : 'failed'} text={text} />{' '}
      <span className={styles.aside}>
        since <Ago at={since} />
      </span>
    </>
  )
}

function Fact({ name, about, children }: { name: string; about?: string; children: ReactNode }) {
  return (
    <div title={about}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
