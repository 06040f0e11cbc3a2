// What people come to do, from the home page on: by keyboard, with script and
// without, in few actions; and how much it weighs.
import { check, expect } from './report.mjs'
import { clean, focused, hasEditor, watch } from './checks.mjs'
import { examples } from './pages.mjs'

const open = async (browser, base, options = {}) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
  context.setDefaultTimeout(20_000)
  const page = await context.newPage()
  const seen = watch(page, base)
  await page.goto(base + '/')
  return { context, page, seen }
}

/** Tabs until something that fits has the focus, which must be seen. */
const tabTo = async (page, what, fits) => {
  for (let steps = 0; steps < 150; steps += 1) {
    await page.keyboard.press('Tab')
    const now = await focused(page)
    expect(now.visible, `the focus on "${now.text.slice(0, 40)}${now.id}" is not seen`)
    if (fits(now)) return now
  }
  throw new Error(`Tab does not reach ${what}`)
}

const follow = async (page, press = () => page.keyboard.press('Enter')) => {
  await Promise.all([page.waitForNavigation({ waitUntil: 'load' }), press()])
}

const heading = (page) => page.locator('h1').innerText()

// Search, filter, record, evidence, back: without a mouse.
const byKeyboard = async (browser, base, script) => {
  const { context, page, seen } = await open(browser, base, { javaScriptEnabled: script })
  await page.keyboard.press('Tab')
  expect((await focused(page)).text === 'Skip to main content', 'the first stop is not the skip link')
  await page.keyboard.press('Enter')
  await tabTo(page, 'the search box', ({ id }) => id === 'q')
  await page.keyboard.type('agree before a test who pays')
  await follow(page)
  expect(new URL(page.url()).searchParams.get('q').startsWith('agree'), page.url())
  await tabTo(page, 'the filter for lessons', ({ id, name }) => id.startsWith('kind-') && name === 'kind')
  const lessons = page.locator('input[name="kind"][value="lesson"]')
  for (let steps = 0; steps < 40 && !(await lessons.evaluate((e) => e === document.activeElement)); steps += 1) await page.keyboard.press('Tab')
  if (script) await follow(page, () => page.keyboard.press('Space'))
  else {
    await page.keyboard.press('Space')
    await tabTo(page, 'the button that applies filters', ({ text }) => text === 'Apply filters')
    await follow(page)
  }
  expect(new URL(page.url()).searchParams.get('kind') === 'lesson', page.url())
  if (script) expect((await focused(page)).id === 'results', 'the focus is not on the results')
  await tabTo(page, 'the lesson', ({ href }) => href.startsWith('/lesson/demonstration-agree'))
  await follow(page)
  const lesson = await heading(page)
  const evidence = await tabTo(page, 'its evidence', ({ href }) => href.startsWith('/evidence/'))
  await follow(page)
  expect(page.url() === base + evidence.href, page.url())
  await page.goBack()
  expect((await heading(page)) === lesson, 'going back does not lead to the lesson')
  await page.goBack()
  expect(new URL(page.url()).pathname === '/search', page.url())
  clean(seen)
  await context.close()
}

// Suggestions as a combobox: what a screen reader is told, and the keys.
const suggestions = async (browser, base) => {
  const { context, page, seen } = await open(browser, base)
  const box = page.locator('#q')
  expect((await box.getAttribute('role')) === 'combobox', 'the box is no combobox')
  await box.pressSequentially('missed appoint')
  const list = page.locator('#q-suggestions')
  await list.locator('li').first().waitFor()
  expect((await box.getAttribute('aria-expanded')) === 'true', 'aria-expanded is not true')
  await page.keyboard.press('ArrowDown')
  const active = await box.getAttribute('aria-activedescendant')
  expect((await list.locator(`#${active}`).getAttribute('aria-selected')) === 'true', 'no suggestion is selected')
  await page.keyboard.press('Escape')
  expect((await box.getAttribute('aria-expanded')) === 'false', 'Escape does not close the list')
  expect((await box.inputValue()) === 'missed appoint', 'Escape loses what was typed')
  await box.pressSequentially('m')
  await list.locator('li').first().waitFor({ state: 'visible' }).catch(() => {})
  await page.keyboard.press('Backspace')
  await list.locator('li').first().waitFor({ state: 'visible' })
  await page.keyboard.press('ArrowDown')
  await follow(page)
  expect(new URL(page.url()).pathname !== '/', 'choosing a suggestion leads nowhere')
  clean(seen)
  await context.close()
}

// A stranger's tasks, each in at most three actions from the home page.
const tasks = async (browser, base, script) => {
  const { lesson, caseStudy, partner } = await examples(base)
  const name = script ? 'with script' : 'without script'
  const task = (title, run) =>
    check(`task, ${name}: ${title}`, async () => {
      const { context, page, seen } = await open(browser, base, { javaScriptEnabled: script, acceptDownloads: true })
      let actions = 0
      const act = async (press) => {
        actions += 1
        await follow(page, press)
      }
      const search = (words) => act(async () => {
        await page.fill('#q', words)
        await page.click('.app-search button')
      })
      const choose = (selector) => act(() => page.locator(selector).first().click())
      const download = async (selector) => {
        actions += 1
        const [file] = await Promise.all([page.waitForEvent('download'), page.locator(selector).first().click()])
        const chunks = []
        for await (const chunk of await file.createReadStream()) chunks.push(chunk)
        return Buffer.concat(chunks).toString('utf8')
      }
      try {
        await run({ page, search, choose, download })
        expect(actions > 0 && actions <= 3, `took ${actions} actions`)
        clean(seen)
      } finally {
        await context.close()
      }
    })
  await task('find lessons on missed appointments', async ({ page, search, choose }) => {
    await search('missed appointments')
    // With script a ticked box applies at once; without, a link stands beside it.
    await choose(script ? 'input[name="kind"][value="lesson"]' : '.app-check__only[href*="kind=lesson"]')
    const kinds = await page.locator('.app-hit .app-meta').allInnerTexts()
    expect(kinds.length > 2 && kinds.every((text) => text.startsWith('Lesson')), kinds.join('|'))
    const first = await page.locator('.app-hit').first().innerText()
    expect(/miss|appointment|reminder/i.test(first), first)
  })
  await task('what did not work, and why', async ({ page, choose }) => {
    await choose('main a[href="/outcomes"]')
    const stopped = await page.locator('section', { has: page.locator('h2', { hasText: 'Stopped' }) }).innerText()
    expect(stopped.includes('What stood in the way'), stopped.slice(0, 300))
  })
  await task('what is common between regions, and who is missing', async ({ page, choose }) => {
    await choose('main a[href="/compare"]')
    await choose('main a[href="/compare?rows=theme&columns=region"]')
    const cells = await page.locator('.app-cells td a').allInnerTexts()
    expect(cells.length > 20 && cells.every((text) => /^\d+ of \d+$/.test(text)), cells.join('|'))
    await choose('.app-cells td a[href*="cell=local-partners~midlands"]')
    const text = await page.locator('main').innerText()
    expect(text.includes('Who is missing') && text.includes('Records behind it'), text.slice(0, 300))
  })
  await task('what people said, by role', async ({ page, choose }) => {
    await choose('main a[href="/compare"]')
    await choose('main a[href*="show=illustrative"]')
    const words = await page.locator('section[aria-labelledby="words"]').innerText()
    expect(/Innovation lead/i.test(words) && /Illustrative/i.test(words), words.slice(0, 300))
  })
  await task('who works with a partner', async ({ page, choose }) => {
    await choose('main a[href="/partner"]')
    const wanted = page.locator(`main a[href="${partner}"]`)
    if ((await wanted.count()) === 0) await choose('main .app-card a')
    else await choose(`main a[href="${partner}"]`)
    const text = await page.locator('main').innerText()
    expect(/Linked with|Partners|Partnerships/.test(text), text.slice(0, 300))
  })
  await task('what evidence stands behind a lesson', async ({ page, search, choose }) => {
    const answer = await fetch(`${base}${lesson}.json`)
    await search((await answer.json()).title)
    await choose(`.app-hit a[href="${lesson}"]`)
    const chain = await page.locator('.app-chain').innerText()
    expect(chain.includes('supported by') && chain.includes('comes from') && chain.includes('Organisation'), chain)
  })
  await task('cite a case study', async ({ page, choose, download }) => {
    await choose('header a[href="/case-study"]')
    await choose('main .app-card a')
    expect((await page.locator('#citation').innerText()).includes('https://w3id.org/insites/id/case-study/'), 'no citation')
    const bibtex = await download('a[href$=".bib"]')
    expect(bibtex.startsWith('@misc{case-study-') && bibtex.includes('url = {https://w3id.org/'), bibtex)
  })
  await task('the data of a theme as CSV', async ({ choose, download }) => {
    await choose('main a[href^="/theme/"]')
    const csv = await download('main a[href^="/search.csv?theme="]')
    const rows = csv.trim().split('\r\n')
    expect(rows[0] === 'title,kind,status,date,page,identifier,snippet' && rows.length > 3, rows.slice(0, 2).join('\n'))
  })
  await task('a query on sites and partners', async ({ page, choose }) => {
    await choose('header a[href="/queries"]')
    await choose('main a[href="/queries/sites-and-their-roles"]')
    expect((await page.locator('main table tbody tr').count()) > 0, 'no rows')
    await choose('main a[href^="/sparql?query="]')
    expect((await page.locator('section[aria-labelledby="answer"] tbody tr').count()) > 0, 'no rows in the workbench')
  })
  expect(caseStudy, 'no sourced case study')
}

// Compressed bytes over the wire, of a first visit and of another page after.
const weight = async (browser, base) => {
  for (const path of ['/', '/search?q=missed+appointments']) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
    const page = await context.newPage()
    const wire = await context.newCDPSession(page)
    await wire.send('Network.enable')
    let bytes = 0
    wire.on('Network.loadingFinished', ({ encodedDataLength }) => {
      bytes += encodedDataLength
    })
    const visit = async (to) => {
      bytes = 0
      await page.goto(base + to, { waitUntil: 'networkidle' })
      return bytes
    }
    const first = await visit(path)
    const after = await visit(path === '/' ? '/?again' : path + '&page=2')
    console.log(`weight of ${path}: ${(first / 1000).toFixed(1)} kB on the first visit, ${(after / 1000).toFixed(1)} kB after`)
    await check(`weight of ${path}`, () => {
      expect(first > 1000 && first <= 150_000, `${first} bytes on the first visit`)
      expect(after <= 20_000, `${after} bytes after`)
    })
    await context.close()
  }
}

// The picture of neighbours unfolds; the editor asks and shows its answer.
const comfort = async (browser, base) => {
  const { lesson } = await examples(base)
  await check('the neighbourhood unfolds', async () => {
    const { context, page, seen } = await open(browser, base)
    await page.goto(`${base}${lesson}/graph`)
    const before = await page.locator('.app-graph__nodes a').count()
    await page.locator('.app-graph__nodes a[href$="/graph"]').last().focus()
    await page.keyboard.press('Enter')
    await page.locator('.app-graph__said a').waitFor()
    expect((await page.locator('.app-graph__nodes a').count()) >= before, 'nodes are lost')
    clean(seen)
    await context.close()
  })
  await check('the editor asks and completes our words', async () => {
    const { context, page, seen } = await open(browser, base)
    await page.goto(base + '/sparql')
    if (await hasEditor(page)) {
      await page.waitForSelector('.yasqe .CodeMirror:visible')
      await page.locator('.yasqe_queryButton').first().click()
      await page.waitForSelector('.yasr table tbody tr')
      expect((await page.locator('.yasr table tbody tr').count()) > 1, 'no rows')
    }
    clean(seen)
    await context.close()
  })
  await check('a correction is said, and can be refused', async () => {
    const { context, page } = await open(browser, base, { javaScriptEnabled: false })
    await page.goto(base + '/search?q=apointments')
    expect((await page.locator('.app-said').first().innerText()).startsWith('Showing results for appointments'), 'no correction is said')
    await follow(page, () => page.locator('.app-said a').first().click())
    expect(new URL(page.url()).searchParams.get('match') === 'exact', page.url())
    expect((await page.locator('main').innerText()).includes('Every word as it was typed'), 'not said that words are exact')
    await context.close()
  })
  await check('a search that finds nothing says what would', async () => {
    const { context, page } = await open(browser, base, { javaScriptEnabled: false })
    await page.goto(base + '/search?q=missed+appointments&kind=questionnaire')
    const nothing = page.locator('.nhsuk-inset-text')
    expect((await nothing.innerText()).includes('without the filter “Kind” ('), await nothing.innerText())
    await follow(page, () => nothing.locator('a').first().click())
    expect((await page.locator('.app-hit').count()) > 3, 'the way out finds nothing')
    await context.close()
  })
  await check('the SPARQL behind a list runs', async () => {
    const { context, page } = await open(browser, base, { javaScriptEnabled: false })
    await page.goto(base + '/search?q=missed+appointments&kind=lesson')
    await follow(page, () => page.getByText('The SPARQL behind this list').click())
    expect((await page.locator('#query').inputValue()).includes('SERVICE insites:search'), 'no search clause')
    expect((await page.locator('section[aria-labelledby="answer"] tbody tr').count()) > 3, 'no rows')
    await context.close()
  })
  await check('without script the form asks', async () => {
    const { context, page } = await open(browser, base, { javaScriptEnabled: false })
    await page.goto(base + '/sparql')
    await follow(page, () => page.click('#plain button'))
    expect((await page.locator('section[aria-labelledby="answer"] tbody tr').count()) > 1, 'no rows')
    await context.close()
  })
}

export const journeys = async (browser, base) => {
  await check('keyboard alone, with script', () => byKeyboard(browser, base, true))
  await check('keyboard alone, without script', () => byKeyboard(browser, base, false))
  await check('suggestions', () => suggestions(browser, base))
  await tasks(browser, base, true)
  await tasks(browser, base, false)
  await comfort(browser, base)
  await weight(browser, base)
}
