// Writing: a case study that did not work and the answers of a site, by form
// and by spreadsheet, with script and without; review by a second person.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { check, expect } from './report.mjs'
import { accessible, clean, lookAt, watch } from './checks.mjs'

const TOOL = '/capture/questionnaire/data-collection-tool-1'
const SITE = 'demonstration-site-01'

const enter = async (browser, base, token, options = {}) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
  context.setDefaultTimeout(20_000)
  const page = await context.newPage()
  const seen = watch(page, base)
  await page.goto(base + '/sign-in')
  await page.fill('input[type="password"]', token)
  await press(page, page.locator('main button[type="submit"]'))
  return { context, page, seen }
}

const press = async (page, button) => {
  await Promise.all([page.waitForNavigation({ waitUntil: 'load' }), button.click()])
}

const button = (page, name) => page.getByRole('button', { name, exact: true })
const heading = (page) => page.locator('h1').innerText()

const writeCase = async (page, base, title, shoot) => {
  await page.goto(base + '/capture')
  await press(page, page.getByRole('link', { name: 'Write a case study' }))
  await page.fill('#title', title)
  await shoot('case-study-new')
  await press(page, button(page, 'Add a figure'))
  expect((await page.inputValue('#title')) === title, 'adding a figure lost the title')
  await page.fill('#figure-1-title', 'Searches per shift')
  await page.fill('#figure-1-value', '12')
  await page.getByLabel('Measured', { exact: true }).check()
  await press(page, button(page, 'Save and preview'))
  await shoot('case-study-incomplete')
  const problems = page.locator('.app-todo')
  expect((await problems.innerText()).includes('Who says so'), 'the figure without a claimant is not told')
  await accessible(page)
  await press(page, problems.getByRole('link', { name: /Who says so/ }))
  expect(new URL(page.url()).hash === '#figure-1-claimed-by', page.url())
  await shoot('case-study-errors')
  await accessible(page)
  await page.fill('#figure-1-claimed-by', 'Innovation team')
  await page.fill('#description', 'Tags on bedside chairs, to find them faster. Stopped after three months.')
  await page.getByLabel('Stopped', { exact: true }).check()
  await page.locator('#barrier').fill('Nobody had time to charge the tags')
  await page.locator('#with-partner').fill('Demonstration Partner A')
  await press(page, button(page, 'Save and preview'))
  expect((await heading(page)) === title, await heading(page))
  await shoot('case-study-preview')
  await accessible(page)
  await page.fill('#comment', 'Please look at the barrier')
  await press(page, button(page, 'Hand in for review'))
  await shoot('drafts')
  expect((await page.locator('main').innerText()).includes('Handed in for review'), 'it does not say that it is handed in')
}

const answer = async (page, base, script, shoot) => {
  await page.goto(`${base}${TOOL}?site=${SITE}`)
  await shoot('tool-overview')
  await press(page, page.getByRole('link', { name: 'Agree priorities' }))
  const days = page.locator('#front-door-days')
  expect((await days.isVisible()) === !script, 'a question with a condition is shown wrongly')
  await shoot('tool-part')
  await page.getByLabel('Yes, one for the whole organisation').check()
  expect(await days.isVisible(), 'the condition does not lead to the question')
  await days.fill('twenty')
  await press(page, button(page, 'Save and continue'))
  await shoot('tool-errors')
  await accessible(page)
  expect((await page.locator('.nhsuk-error-summary').innerText()).includes('must be a number'), 'words for a number are not told')
  await page.locator('#front-door-days').fill('20')
  await page.getByLabel('4', { exact: true }).check()
  await press(page, button(page, 'Save and continue'))
  expect((await heading(page)) === 'Mobilise resources', await heading(page))
  await press(page, button(page, 'Save and return later'))
  await page.goto(`${base}${TOOL}/check?site=${SITE}`)
  await shoot('tool-check')
  await accessible(page)
  expect((await page.locator('main').innerText()).includes('20 working days'), 'the answer is not shown')
}

const sheet = async (page, base, shoot) => {
  await page.goto(base + TOOL + '/import')
  await shoot('import')
  const columns = 'site,date,front-door,front-door-days,priorities-shared\n'
  const send = async (text) => {
    await page.setInputFiles('#file', { name: 'answers.csv', mimeType: 'text/csv', buffer: Buffer.from(columns + text) })
    await press(page, button(page, 'Look at it'))
  }
  await send('Demonstration Site 01,27/03/2026,Perhaps,,9\n')
  await shoot('import-refused')
  await accessible(page)
  const refused = await page.locator('main').innerText()
  for (const cell of ['B2', 'C2', 'E2']) expect(refused.includes(cell), `${cell} is not refused`)
  await send('Demonstration Site 01,2026-03-27,No,,3\n')
  await shoot('import-read')
  await accessible(page)
  await press(page, button(page, 'Yes, save these as drafts'))
  expect((await page.locator('main').innerText()).includes('All rows are saved'), 'nothing is said to be saved')
}

const journey = async (browser, service, { script, pictures }) => {
  const { base } = service
  const how = script ? 'with script' : 'without script'
  const shoot = async (page, name) => {
    if (!pictures) return
    mkdirSync(pictures, { recursive: true })
    await page.screenshot({ path: join(pictures, `capture-${name}${script ? '' : '-bare'}.png`), fullPage: true })
  }
  const title = script ? 'Bedside chairs with tags' : 'Vending machines for linen'
  const writer = service.token(`writer ${how}`, 'contributor', SITE)
  const curator = service.token(`reviewer ${how}`, 'curator')
  const options = { javaScriptEnabled: script }
  // axe is a script itself.
  const scripted = script ? {} : { javaScriptEnabled: true }
  const opened = async (token) => {
    const one = await enter(browser, base, token, script ? options : scripted)
    if (!script) await one.context.route('**/*.js', (route) => route.fulfill({ contentType: 'text/javascript', body: '' }))
    return one
  }
  const { context, page, seen } = await opened(writer)
  await check(`capture, ${how}: a case study is written and handed in`, () => writeCase(page, base, title, (name) => shoot(page, name)))
  await check(`capture, ${how}: the same title again is asked about`, async () => {
    await page.goto(base + '/capture/case-study')
    await page.fill('#title', title)
    if (script) {
      await page.locator('#title').press('End')
      await page.locator('#title').pressSequentially(' again')
      await page.locator('.app-alike li').first().waitFor()
      await shoot(page, 'case-study-alike')
    }
    await press(page, button(page, 'Save and preview'))
    await shoot(page, 'case-study-alike-asked')
    await accessible(page)
    expect((await page.locator('#alike').innerText()).includes(title), 'the like case is not named')
  })
  await check(`capture, ${how}: answers are saved, with what is wrong told`, () => answer(page, base, script, (name) => shoot(page, name)))
  await check(`capture, ${how}: a spreadsheet is looked at before it is saved`, () => sheet(page, base, (name) => shoot(page, name)))
  const login = await context.storageState()
  await check(`capture, ${how}: no error, nothing elsewhere`, () => clean(seen))
  await context.close()

  await check(`capture, ${how}: a second person publishes`, async () => {
    const second = await opened(curator)
    await second.page.goto(base + '/capture')
    await shoot(second.page, 'to-review')
    await accessible(second.page)
    await press(second.page, second.page.getByRole('link', { name: title }))
    await shoot(second.page, 'review')
    await accessible(second.page)
    await press(second.page, button(second.page, 'Publish'))
    expect((await heading(second.page)).includes(title), await heading(second.page))
    await shoot(second.page, 'published')
    clean(second.seen)
    await second.context.close()
  })
  return login
}

export const capture = async (browser, service, { pictures } = {}) => {
  const login = await journey(browser, service, { script: true, pictures })
  await journey(browser, service, { script: false, pictures })
  const pages = [
    ['contribute', '/capture'],
    ['case study form', '/capture/case-study'],
    ['tool', `${TOOL}?site=${SITE}`],
    ['tool, a dimension', `${TOOL}/agree-priorities?site=${SITE}`],
    ['tool, work with partners', `${TOOL}/work-with-partners?site=${SITE}`],
    ['tool, check', `${TOOL}/check?site=${SITE}`],
    ['spreadsheet', `${TOOL}/import`]
  ]
  if (pictures) {
    const context = await browser.newContext({ viewport: { width: 390, height: 900 }, storageState: login })
    const page = await context.newPage()
    for (const [name, url] of pages) {
      await page.goto(service.base + url)
      await page.screenshot({ path: join(pictures, `capture-narrow-${name.replaceAll(/[^a-z]+/g, '-')}.png`), fullPage: true })
    }
    await context.close()
    return
  }
  for (const [name, url] of pages) await lookAt(browser, service.base, { name, url, status: 200 }, login)
  // Curators belong to no site: they say for whom they write.
  const curator = await enter(browser, service.base, service.token('curator of forms', 'curator'))
  const above = await curator.context.storageState()
  await curator.context.close()
  for (const [name, url] of [['case study form of a curator', '/capture/case-study'], ['tool, choosing a site', TOOL]]) {
    await lookAt(browser, service.base, { name, url, status: 200 }, above)
  }
}

/** What was captured and published stands in the comparison, with its denominator and the way to it. */
export const compared = (browser, service) =>
  check('compare shows what was captured, with its denominator', async () => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
    const page = await context.newPage()
    const seen = watch(page, service.base)
    await page.goto(`${service.base}/compare?show=illustrative&rows=outcome&columns=site`)
    await accessible(page)
    const cell = page.locator('tr', { hasText: 'Stopped' }).getByRole('link', { name: /\d+ of \d+/ }).first()
    await press(page, cell)
    await accessible(page)
    const listed = await page.locator('main').innerText()
    for (const title of ['Bedside chairs with tags', 'Vending machines for linen']) {
      expect(listed.includes(title), `${title} is not behind the cell`)
    }
    clean(seen)
    await context.close()
  })
