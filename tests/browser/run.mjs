// Looks at every kind of page in Chromium: node run.mjs PROGRAM [--pictures FOLDER].
// Needs Chromium (CHROMIUM names it, else /usr/bin/chromium) and `npm ci`.
import { chromium } from 'playwright-core'
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { conclude, check } from './report.mjs'
import { everyPage } from './pages.mjs'
import { hasEditor, lookAt } from './checks.mjs'
import { interviews } from './interviews.mjs'
import { journeys } from './journeys.mjs'
import { signedIn } from './signed-in.mjs'
import { capture, compared } from './capture.mjs'
import { start } from './service.mjs'

const [program, ...options] = process.argv.slice(2)
if (!program) {
  console.log('usage: node run.mjs PROGRAM [--pictures FOLDER] [--only TEXT]')
  process.exit(2)
}
const option = (name) => (options.includes(name) ? options[options.indexOf(name) + 1] : undefined)
const pictures = option('--pictures')
const only = option('--only')

const service = await start(resolve(program))
let status = 1
try {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']
  })
  try {
    const pages = (await everyPage(service.base)).filter(({ name }) => !only || name.includes(only))
    if (pictures) {
      mkdirSync(pictures, { recursive: true })
      for (const width of [1280, 390]) {
        const context = await browser.newContext({ viewport: { width, height: 900 } })
        const page = await context.newPage()
        for (const { name, url } of pages) {
          await page.goto(service.base + url, { waitUntil: 'load' })
          if (await hasEditor(page)) await page.waitForSelector('.yasqe .CodeMirror:visible')
          const file = `${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}-${width}.png`
          await page.screenshot({ path: join(pictures, file), fullPage: true })
        }
        await context.close()
      }
      if (!only || only === 'interviews') await interviews(browser, service, pictures)
      if (!only || only === 'capture') await capture(browser, service, { pictures })
      status = 0
    } else {
      for (const page of pages) await check(`${page.name}: looked at`, () => lookAt(browser, service.base, page))
      if (only === 'interviews') await interviews(browser, service)
      if (!only || only === 'capture') {
        await capture(browser, service)
        await compared(browser, service)
      }
      if (!only) {
        await journeys(browser, service.base)
        await signedIn(browser, service)
        await interviews(browser, service)
      }
      status = conclude()
    }
  } finally {
    await browser.close()
  }
} finally {
  await service.stop()
}
process.exit(status)
