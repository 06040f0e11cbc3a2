// Pages that only people with a token see, and records that are gone.
import { check, expect } from './report.mjs'
import { lookAt } from './checks.mjs'
import { examples } from './pages.mjs'

export const signedIn = async (browser, service) => {
  const { base } = service
  const token = service.token('browser', 'curator')
  const context = await browser.newContext()
  const page = await context.newPage()
  await check('signing in', async () => {
    await page.goto(base + '/sign-in')
    await page.fill('input[type="password"]', token)
    await Promise.all([page.waitForNavigation(), page.click('main button[type="submit"]')])
    await page.goto(base + '/')
    expect((await page.locator('footer').innerText()).includes('Signed in as browser'), 'not signed in')
  })
  const login = await context.storageState()
  await lookAt(browser, base, { name: 'home, signed in', url: '/', status: 200 }, login)
  await context.close()

  const gone = (await examples(base)).unsupported
  await check('withdrawing', async () => {
    const answer = await fetch(`${base}${gone}/withdraw`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ reason: 'to see how that looks' })
    })
    expect(answer.ok, `${answer.status} ${await answer.text()}`)
  })
  await lookAt(browser, base, { name: 'withdrawn', url: gone, status: 410 })
  // What else changed does not change a page that shows nothing of it.
  await check('a page keeps its ETag when something else changes', async () => {
    const tag = async () => (await fetch(base + '/lesson/lesson-insites-local-partners', { headers: { accept: 'text/html' } })).headers.get('etag')
    const before = await tag()
    const answer = await fetch(base + '/update', {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/sparql-update' },
      body: 'INSERT DATA { <http://example.org/a> <http://example.org/b> 1 }'
    })
    expect(answer.ok, `${answer.status}`)
    expect(before && before === (await tag()), 'the ETag changed')
  })
}
