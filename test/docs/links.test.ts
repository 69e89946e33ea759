import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { pages, root, textOf } from './pages.ts'

test('every link of a page leads to something', () => {
  const links = pages().flatMap((page) => linksOf(page).map((link) => ({ page, link })))
  assert.ok(links.length > 20, 'the links were found')
  const broken = links.filter(({ page, link }) => !leadsSomewhere(page, link))
  assert.deepEqual(broken, [])
})

test('the life of a task names files that exist, in the order of the story', () => {
  const page = textOf('docs/life-of-a-task.md')
  const files = [...page.matchAll(/`(src\/[\w./-]+\.ts)`/g)].map(([, file]) => file!)
  assert.ok(files.length > 20, 'the files were found')
  assert.deepEqual(
    files.filter((file) => !existsSync(join(root, file))),
    [],
  )
  const story = [
    'src/api/routes/submit.ts',
    'src/storage/tasks.ts',
    'src/storage/claim.ts',
    'src/storage/finish.ts',
  ]
  assert.deepEqual(
    files.filter((file) => story.includes(file)),
    story,
  )
})

/** Links to other sites are not looked at. */
function linksOf(page: string): string[] {
  const prose = textOf(page).replace(/^```[\s\S]*?^```$/gm, '')
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link]) => link!)
    .filter((link) => !/^[a-z]+:/.test(link))
}

function leadsSomewhere(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? page : join(dirname(page), path)
  if (!existsSync(join(root, target))) return false
  return anchor === undefined || anchorsOf(target).includes(anchor)
}

/** As GitHub makes them. */
function anchorsOf(page: string): string[] {
  const headings = textOf(page).matchAll(/^#+ (.+)$/gm)
  return [...headings].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
