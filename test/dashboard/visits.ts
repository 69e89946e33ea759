import type { BrowserContext, Page } from 'playwright-core'

export type Visit = {
  /** Below `/dashboard`. */
  path: string
  heading: string
}

/** Every page that the navigation leads to; one that is added there is visited by all tests that use this. */
export async function placesOf(context: BrowserContext, dashboardUrl: string): Promise<Visit[]> {
  const page = await context.newPage()
  await page.goto(`${dashboardUrl}/`)
  const places = await placesIn(page)
  await page.close()
  return places
}

async function placesIn(page: Page): Promise<Visit[]> {
  const links = page.locator('nav[aria-label=Pages] a')
  await links.first().waitFor({ state: 'attached' })
  const visits: Visit[] = []
  for (const link of await links.all()) {
    const path = (await link.getAttribute('href')) ?? ''
    // What is behind the name may be a count.
    const heading = await link.evaluate(
      (element) => [...element.childNodes].find(({ nodeName }) => nodeName === '#text')?.nodeValue ?? '',
    )
    visits.push({ path: path.replace(/^\/dashboard/, ''), heading })
  }
  if (visits.length < 5) throw new Error(`only ${visits.length} pages in the navigation`)
  return visits
}

/** Opens a page and waits until what it asked for has come. */
export async function visit(page: Page, dashboardUrl: string, { path, heading }: Visit): Promise<void> {
  await page.goto(`${dashboardUrl}${path}`)
  await page.getByRole('heading', { level: 1, name: heading }).waitFor()
  await settled(page)
}

/** What the page asked for has come. */
export async function settled(page: Page): Promise<void> {
  // On narrow screens the navigation, and the state in it, is out of sight.
  await page.locator('aside [role=status]').filter({ hasText: 'Live' }).waitFor({ state: 'attached' })
  await page.getByText('Reading…').waitFor({ state: 'detached' })
}
