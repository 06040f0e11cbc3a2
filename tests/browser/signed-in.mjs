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
  const lesson = '/lesson/lesson-insites-local-partners'
  await lookAt(browser, base, { name: 'lesson, signed in', url: lesson, status: 200 }, login)
  await check('feedback on a lesson, by keyboard, without script', async () => {
    const own = await browser.newContext({ storageState: login, javaScriptEnabled: false })
    const form = await own.newPage()
    await form.goto(base + lesson)
    await form.focus('#verdict-did-not-fit')
    await form.keyboard.press('Space')
    await form.fill('#feedback-comment', 'Our wards share no inbox.')
    await form.focus('main form[action$="/feedback"] button')
    await Promise.all([form.waitForNavigation(), form.keyboard.press('Enter')])
    expect(form.url().endsWith('?feedback=kept#feedback'), form.url())
    const text = await form.locator('main').innerText()
    expect(text.includes('Thank you.') && text.includes('waits for a curator'), 'no word of thanks')
    await own.close()
    const answer = await fetch(base + lesson, { headers: { accept: 'text/html' } })
    expect(!(await answer.text()).includes('/evidence/feedback-'), 'the public sees it')
  })
  await lookAt(browser, base, { name: 'lesson, with feedback that waits', url: lesson, status: 200 }, login)
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
