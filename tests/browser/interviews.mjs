// Writing down an interview, as a curator does it: with script and without.
import { check, expect } from './report.mjs'
import { accessible, clean, lookAt, watch } from './checks.mjs'

const SITE = 'demonstration-site-01'
const SAID = `Interviewer: How did it begin?

Lead: Dr Example wrote the rota down, and nobody covered the shift.

- More ideas came from night staff.
- Ring 07700 900123 to ask.`

const submit = async (page, button) => {
  await Promise.all([page.waitForNavigation({ waitUntil: 'load' }), page.click(button)])
}

/** Takes a picture of a state of a page, if pictures are wanted. */
const picture = async (page, pictures, name) => {
  if (!pictures) return
  const { join } = await import('node:path')
  const size = page.viewportSize()
  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: 900 })
    await page.screenshot({ path: join(pictures, `interview-${name}-${width}.png`), fullPage: true })
  }
  await page.setViewportSize(size)
}

const looksRight = async (page, scripts) => {
  // axe itself is a script.
  if (scripts) await accessible(page)
  const wide = await page.evaluate(() => document.documentElement.scrollWidth).catch(() => 0)
  expect(wide <= (page.viewportSize()?.width ?? 1280), `${wide} CSS px wide`)
}

/** Fills in the form but for the text. */
const fill = async (page) => {
  await page.check('input[name="role"][value="innovation-lead"]')
  await page.selectOption('#site', SITE)
  for (const name of ['date', 'consent-date']) {
    await page.fill(`input[name="${name}-day"]`, '3')
    await page.fill(`input[name="${name}-month"]`, '2')
    await page.fill(`input[name="${name}-year"]`, '2026')
  }
  await page.check('#consent')
  await page.fill('#consent-for', 'to be quoted by role')
  await page.check('input[name="audience"][value="members"]')
}

const signIn = async (page, base, token) => {
  await page.goto(base + '/sign-in')
  await page.fill('input[type="password"]', token)
  await submit(page, 'main button[type="submit"]')
}

const journey = async (browser, service, scripts, pictures) => {
  const { base } = service
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, javaScriptEnabled: scripts })
  context.setDefaultTimeout(20_000)
  const page = await context.newPage()
  const seen = watch(page, base)
  const name = scripts ? 'with script' : 'without script'
  const author = service.token(`author ${name}`, 'curator')
  const other = service.token(`other ${name}`, 'curator')
  const step = (title, run) => check(`interview, ${name}: ${title}`, run)

  await step('the form says what is missing', async () => {
    await signIn(page, base, author)
    await page.goto(base + '/capture/interview')
    await looksRight(page, scripts)
    await picture(page, pictures, 'form')
    await submit(page, 'main button[type="submit"]')
    const messages = await page.locator('.nhsuk-error-summary a').allInnerTexts()
    expect(messages.length === 8, messages.join('|'))
    await picture(page, pictures, 'form-with-errors')
    await looksRight(page, scripts)
    await page.locator('.nhsuk-error-summary a', { hasText: 'Choose the site' }).click()
    expect(await page.locator('#site').evaluate((e) => e === document.activeElement).catch(() => true), 'the message does not lead to its field')
  })
  await step('an uploaded file is looked through before it is saved', async () => {
    await fill(page)
    await page.setInputFiles('#file', { name: 'said.txt', mimeType: 'text/plain', buffer: Buffer.from(SAID) })
    await submit(page, 'main button[type="submit"]')
    expect((await page.locator('h1').innerText()) === 'Check for personal data', await page.locator('main').innerText())
    const finds = await page.locator('.app-find legend').allInnerTexts()
    expect(finds.length === 2 && finds[0].includes('Dr Example') && finds[1].includes('07700 900123'), finds.join('|'))
    await looksRight(page, scripts)
    await picture(page, pictures, 'finds')
    await page.check('#find-1-keep')
    await submit(page, 'button[value="save"]')
    expect((await page.locator('.nhsuk-error-summary').innerText()).includes('Say why 07700 900123'), 'no message')
    await looksRight(page, scripts)
    await picture(page, pictures, 'finds-with-errors')
    // By keyboard: back to replacing it.
    await page.focus('#find-0-keep')
    await page.keyboard.press('ArrowUp')
    await page.locator('#find-0-with').fill('[telephone number]')
    await submit(page, 'button[value="save"]')
    expect(/\/capture\/interview\/.*\/code/.test(page.url()), page.url())
  })
  await step('passages are coded, by keyboard', async () => {
    const text = await page.locator('.app-passages').innerText()
    expect(text.includes('[name] wrote the rota down') && text.includes('[telephone number]') && !text.includes('Example wrote'), text)
    expect((await page.locator('.app-passage').count()) === 4, 'not four passages')
    await looksRight(page, scripts)
    await picture(page, pictures, 'coding')
    await page.focus('#p2 input[name="theme"]')
    await page.keyboard.press('Space')
    await page.focus('#p2 input[name="dimension"]')
    await page.keyboard.press('Space')
    await page.fill('#p2-supports', 'no such lesson')
    await Promise.all([page.waitForNavigation({ waitUntil: 'load' }), page.keyboard.press('Enter')])
    expect((await page.locator('.nhsuk-error-summary').innerText()).includes('No lesson is called'), 'no message')
    await looksRight(page, scripts)
    expect(await page.locator('#p2 input[name="theme"]').first().isChecked(), 'what was ticked is lost')
    await page.fill('#p2-supports', 'Illustrative lesson: agree before a test who pays afterwards')
    await Promise.all([page.waitForNavigation({ waitUntil: 'load' }), page.press('#p2-supports', 'Enter')])
    expect((await page.locator('#p2').innerText()).includes('Saved.'), await page.locator('#p2').innerText())
    expect((await page.locator('#progress').innerText()).startsWith('1 of 3'), await page.locator('#progress').innerText())
    await picture(page, pictures, 'coded')
    await submit(page, 'button[value="submit"]')
  })
  let record = ''
  await step('somebody else publishes it', async () => {
    const slug = (await fetch(`${base}/sparql?query=${encodeURIComponent('SELECT ?i { GRAPH ?g { ?i a <https://w3id.org/insites/ontology#Interview> } FILTER(CONTAINS(STR(?g), "/draft/")) }')}`, {
      headers: { authorization: `Bearer ${other}`, accept: 'text/csv' }
    }).then((answer) => answer.text())).trim().split('\n').pop().trim().split('/').pop()
    record = `/interview/${slug}`
    await page.goto(`${base}/capture/interview/${slug}/code`)
    expect((await page.locator('main').innerText()).includes('Somebody else must publish it'), 'its author may publish it')
    await context.clearCookies()
    await signIn(page, base, other)
    await page.goto(`${base}/capture/interview/${slug}/code`)
    await picture(page, pictures, 'in-review')
    await submit(page, 'button[value="publish"]')
    await page.goto(base + record)
    const text = await page.locator('main').innerText()
    expect(text.includes('[name] wrote the rota down') && text.includes('Supports'), text)
    await looksRight(page, scripts)
    await picture(page, pictures, 'record')
    await submit(page, 'a[href$="-p02"]')
    await looksRight(page, scripts)
    await picture(page, pictures, 'passage')
    await page.goto(base + '/capture')
    await looksRight(page, scripts)
    await picture(page, pictures, 'contribute')
  })
  await step('the public does not see what is for members', async () => {
    await context.clearCookies()
    const answer = await page.goto(base + record)
    expect(answer.status() === 404, `${answer.status()}`)
  })
  await step('no error, nothing elsewhere', async () => {
    // Refused forms and pages that are not there are meant.
    seen.errors = seen.errors.filter((error) => !/status of (400|404|422)/.test(error))
    clean(seen)
  })
  await context.close()
}

export const interviews = async (browser, service, pictures) => {
  await journey(browser, service, true, pictures)
  await journey(browser, service, false)
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
  const page = await context.newPage()
  await signIn(page, service.base, service.token('codes', 'curator'))
  const login = await context.storageState()
  for (const [name, url] of [
    ['interview form', '/capture/interview'],
    ['code book, signed in', '/capture/codes'],
    ['one code', '/capture/codes/culture']
  ]) {
    await page.goto(service.base + url)
    await picture(page, pictures, name.replaceAll(/[^a-z]+/g, '-'))
    await lookAt(browser, service.base, { name, url, status: 200 }, login)
  }
  await context.close()
}
