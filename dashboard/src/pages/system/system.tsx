import { useQuery } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import { Page, Section } from '../../ui/page.tsx'
import { QueryState } from '../../ui/query-state.tsx'
import { Ago } from '../../ui/time.tsx'
import { Checks } from './checks.tsx'
import { Facts } from './facts.tsx'
import { Partitions } from './partitions.tsx'
import { Settings } from './settings.tsx'
import styles from './system.module.css'

const everyMs = 5_000
const soonMs = 500

export default function System() {
  const system = useQuery({
    queryKey: ['system'],
    queryFn: () => api().system(),
    // The first look of a process takes a moment.
    refetchInterval: ({ state }) => (state.data?.checkedAt ? everyMs : soonMs),
  })
  return (
    <Page title="System" lead="The installation, as the process that answers sees it.">
      <QueryState query={system} what="The state of the system">
        {(state) => (
          <>
            <Facts state={state} />
            <Section title="Checks" aside={state.checkedAt && <CheckedAt at={state.checkedAt} />}>
              <Checks checks={state.checks} />
            </Section>
            {state.partitions.length > 0 && (
              <Section title="Partitions">
                <Partitions partitions={state.partitions} />
              </Section>
            )}
            <Section title="Settings">
              <Settings settings={state.settings} />
            </Section>
          </>
        )}
      </QueryState>
    </Page>
  )
}

function CheckedAt({ at }: { at: string }) {
  return (
    <span className={styles.aside}>
      checked <Ago at={at} />
    </span>
  )
}
