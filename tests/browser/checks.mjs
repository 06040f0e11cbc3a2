// What must hold of every page, whatever it is about.
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { HtmlValidate } from 'html-validate'
import { check, expect } from './report.mjs'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

const validator = new HtmlValidate({
  root: true,
  extends: ['html-validate:recommended'],
  rules: {
    // Taste, not validity.
    'void-style': 'off',
    'long-title': 'off',
    'no-trailing-whitespace': 'off',
    // Everything comes from the same host.
    'require-sri': 'off',
    // A scrolling frame is a region on purpose; a search form keeps its role for
    // readers that do not know <search>.
    'prefer-native-element': ['error', { exclude: ['region', 'search'] }],
    'no-inline-style': 'error',
    // Boxes to tick share their name: each that is ticked is sent.
    'form-dup-name': ['error', { shared: ['radio', 'button', 'reset', 'submit', 'checkbox'] }]
  }
})

/** Watches a page for requests elsewhere, errors and broken rules of content. */
export const watch = (page, base) => {
  const seen = { elsewhere: [], errors: [] }
  page.on('request', (request) => {
    const url = request.url()
    if (!url.startsWith(base + '/') && !url.startsWith('data:') && !url.startsWith('blob:')) seen.elsewhere.push(url)
  })
  page.on('console', (message) => {
    // A page that says 404 is itself reported as a resource that failed.
    const itself = message.location().url === page.url() && /the server responded with a status of/.test(message.text())
    if (message.type() === 'error' && !itself) seen.errors.push(`${message.text()} (${message.location().url})`)
  })
  page.on('pageerror', (error) => seen.errors.push(String(error)))
  return seen
}

export const clean = (seen) => {
  expect(seen.elsewhere.length === 0, `asked elsewhere: ${seen.elsewhere.join(' ')}`)
  expect(seen.errors.length === 0, seen.errors.join('\n'))
}

export const accessible = async (page) => {
  await page.evaluate(axe + ';0')
  const { violations } = await page.evaluate(
    async (tags) => window.axe.run(document, { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] }),
    TAGS
  )
  expect(
    violations.length === 0,
    violations
      .map((v) => `${v.id}: ${v.help}\n${v.nodes.slice(0, 4).map((n) => `  ${n.target} ${n.failureSummary.split('\n').slice(1, 3).join(';')}`).join('\n')}`)
      .join('\n')
  )
}

const valid = async (base, url) => {
  const answer = await fetch(base + url, { headers: { accept: 'text/html' } })
  const { results } = await validator.validateString(await answer.text())
  const wrong = results.flatMap((r) => r.messages).filter((m) => m.severity === 2)
  expect(wrong.length === 0, wrong.slice(0, 8).map((m) => `${m.ruleId} at ${m.line}:${m.column} (${m.selector}): ${m.message}`).join('\n'))
}

const fits = async (page) => {
  const [wide, culprits] = await page.evaluate(() => {
    const inFrame = (element) => element.closest('.app-scroll, pre, .app-graph__frame') !== null
    const out = [...document.body.querySelectorAll('*')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !inFrame(e))
    return [document.documentElement.scrollWidth, out.slice(0, 4).map((e) => e.tagName + '.' + e.className)]
  })
  expect(wide <= 320, `${wide} CSS px wide: ${culprits.join(' ')}`)
}

const prints = async (page) => {
  await page.emulateMedia({ media: 'print' })
  const visible = (selector) =>
    page.evaluate((s) => [...document.querySelectorAll(s)].some((e) => e.getClientRects().length > 0), selector)
  expect(await visible('main h1'), 'the heading is not printed')
  expect(!(await visible('header nav')), 'the navigation is printed')
  expect(!(await visible('header form')), 'the search box is printed')
  const pdf = await page.pdf({ format: 'A4' })
  expect(pdf.length > 4000, `a PDF of ${pdf.length} bytes`)
  await page.emulateMedia({ media: null })
}

/** What has the focus, and whether that is seen. */
export const focused = (page) =>
  page.evaluate(() => {
    const element = document.activeElement
    const style = getComputedStyle(element)
    return {
      id: element.id,
      name: element.name ?? '',
      tag: element.tagName,
      text: element.textContent.trim(),
      href: element.getAttribute('href') ?? '',
      foreign: element.closest('.yasgui') !== null,
      // Nodes of a picture show it on the circle or box inside them.
      visible:
        [element, ...element.querySelectorAll('circle, rect')].some((part) => {
          const seen = getComputedStyle(part)
          return (seen.outlineStyle !== 'none' && part === element) || seen.boxShadow !== 'none' || seen.fill === 'rgb(255, 235, 59)'
        }) || style.backgroundColor === 'rgb(255, 235, 59)'
    }
  })

const stops = async (page) => {
  let reached = 0
  for (let steps = 0; steps < 40; steps += 1) {
    await page.keyboard.press('Tab')
    const now = await focused(page)
    if (now.tag === 'BODY') break
    reached += 1
    // The editor keeps its own cursor.
    expect(now.visible || now.foreign, `the focus on ${now.tag} "${now.text.slice(0, 40)}${now.id}" is not seen`)
  }
  expect(reached > 5, `Tab reaches ${reached} places`)
}

/** Whether a page has the editor: a build without Node has the plain form alone. */
export const hasEditor = async (page) => {
  if (!(await page.$('#editor'))) return false
  const has = (await page.$('script[src*="/assets/workbench"]')) !== null
  expect(has || process.env.INSITES_PAGES_STYLE !== 'full', 'the editor is missing')
  return has
}

/** Looks at one page in every way. */
export const lookAt = async (browser, base, { name, url, status }, login) => {
  const open = async (options) => {
    const { scripts = true, ...rest } = options
    const context = await browser.newContext({ ...rest, storageState: login })
    context.setDefaultTimeout(20_000)
    // axe itself is a script: a page is without script when its own are empty.
    if (!scripts) await context.route('**/*.js', (route) => route.fulfill({ contentType: 'text/javascript', body: '' }))
    const page = await context.newPage()
    const seen = watch(page, base)
    const answer = await page.goto(base + url, { waitUntil: 'load' })
    if (scripts && (await hasEditor(page))) await page.waitForSelector('.yasqe .CodeMirror:visible')
    return { context, page, seen, status: answer.status() }
  }
  const wide = await open({ viewport: { width: 1280, height: 900 } })
  await check(`${name}: status ${status}`, () => expect(wide.status === status, `${url} answers ${wide.status}`))
  await check(`${name}: axe, with script`, () => accessible(wide.page))
  await check(`${name}: keyboard`, () => stops(wide.page))
  await check(`${name}: print`, () => prints(wide.page))
  await check(`${name}: no error, nothing elsewhere`, () => clean(wide.seen))
  await wide.context.close()

  const bare = await open({ viewport: { width: 1280, height: 900 }, scripts: false })
  await check(`${name}: axe, without script`, () => accessible(bare.page))
  await check(`${name}: no error without script`, () => clean(bare.seen))
  await bare.context.close()

  // 1280 CSS px at 400 %.
  const narrow = await open({ viewport: { width: 320, height: 640 } })
  await check(`${name}: 400 % zoom`, () => fits(narrow.page))
  await check(`${name}: axe at 400 %`, () => accessible(narrow.page))
  await narrow.context.close()

  if (!login) await check(`${name}: valid HTML`, () => valid(base, url))
}
