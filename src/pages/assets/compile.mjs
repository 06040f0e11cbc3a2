// Compiles styles and scripts: node compile.mjs ASSETS PACKAGES OUTPUT.
// Run by the build script; PACKAGES is where npm has installed the lock file.
import { createRequire } from 'node:module'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const [assets, packages, output] = process.argv.slice(2)
const require = createRequire(join(packages, 'package.json'))
const sass = require('sass')
const esbuild = require('esbuild')
const modules = join(packages, 'node_modules')
const read = (name) => readFileSync(join(assets, name), 'utf8')
const small = async (text) =>
  (await esbuild.transform(text, { loader: 'css', minify: true, legalComments: 'none' })).code

// What the style refers to comes with it: a small icon costs no request.
const images = join(modules, 'nhsuk-frontend/dist/nhsuk/assets/images')
const withImages = (css) =>
  css.replaceAll(/url\(["']?\/assets\/images\/([\w-]+\.svg)["']?\)/g, (_, name) => {
    const svg = readFileSync(join(images, name), 'utf8').trim()
    return `url("data:image/svg+xml,${encodeURIComponent(svg)}")`
  })

// Our rules on content allow no inline style; the editor has two, which become
// a class and a sheet, with an element that remembers which sheets are there.
// That one is not found fails the build.
const without = {
  "<strong style='text-decoration:underline'>": "<strong class='app-expected'>",
  'a = e.querySelectorAll("style")': 'a = e.querySelectorAll("template")',
  'var o = document.createElement("style");\n\t\t\t\t\t\to.type': 'var o = document.createElement("template");\n\t\t\t\t\t\to.type',
  'o.type = "text/css", o.gripid = r, o.styleSheet ? o.styleSheet.cssText = n : o.appendChild(document.createTextNode(n)), e.appendChild(o);':
    'o.gripid = r, e.appendChild(o); const sheet = new CSSStyleSheet(); sheet.replaceSync(n); document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];'
}
const noInlineStyle = {
  name: 'no inline style',
  setup: (build) =>
    build.onLoad({ filter: /yasgui\.esm\.js$/ }, ({ path }) => {
      let contents = readFileSync(path, 'utf8')
      for (const [from, to] of Object.entries(without)) {
        if (!contents.includes(from)) throw new Error(`the editor no longer has ${from}`)
        contents = contents.replaceAll(from, to)
      }
      return { contents, loader: 'js' }
    })
}

const nhsuk = sass.compile(join(assets, 'nhsuk.scss'), {
  loadPaths: [modules],
  style: 'compressed',
  quietDeps: true,
  logger: sass.Logger.silent
})
writeFileSync(join(output, 'style.css'), await small(withImages(nhsuk.css) + read('own.css')))

const yasgui = readFileSync(join(modules, '@zazuko/yasgui/build/yasgui.min.css'), 'utf8')
writeFileSync(join(output, 'workbench.css'), await small(yasgui + read('workbench.css')))

const scripts = {
  minify: true,
  bundle: true,
  format: 'iife',
  target: 'es2020',
  legalComments: 'none',
  nodePaths: [modules],
  plugins: [noInlineStyle],
  logLevel: 'error'
}
for (const name of ['script.js', 'workbench.js']) {
  await esbuild.build({
    ...scripts,
    entryPoints: [join(assets, name)],
    outfile: join(output, name)
  })
}
