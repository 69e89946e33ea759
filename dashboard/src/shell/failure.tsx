import { type ErrorComponentProps, Link } from '@tanstack/react-router'
import { Button, buttonClass } from '../ui/button.tsx'
import { Empty } from '../ui/empty.tsx'
import { Page } from '../ui/page.tsx'

/** What is shown where a page should be and has failed. The rest of the dashboard goes on. */
export function PageFailure({ error, reset }: ErrorComponentProps) {
  return (
    <Page title="This page has failed">
      <Empty
        title={error instanceof Error ? error.message : String(error)}
        actions={<Button onClick={reset}>Try again</Button>}
      >
        That is a fault of the dashboard, not of your tasks. If a new version was just installed, load the
        page anew.
      </Empty>
    </Page>
  )
}

export function NoSuchPage() {
  return (
    <Page title="There is no such page">
      <Empty
        title="Nothing is at this address"
        actions={
          <Link to="/" className={buttonClass()}>
            To the overview
          </Link>
        }
      >
        It may have been mistyped, or belong to another version.
      </Empty>
    </Page>
  )
}
