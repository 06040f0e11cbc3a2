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

const nhsuk = sass.compile(join(assets, 'nhsuk.scss'), {
  loadPaths: [modules],
  style: 'compressed',
  quietDeps: true,
  logger: sass.Logger.silent
})
writeFileSync(join(output, 'style.css'), await small(nhsuk.css + read('own.css')))

const yasgui = readFileSync(join(modules, '@zazuko/yasgui/build/yasgui.min.css'), 'utf8')
writeFileSync(join(output, 'workbench.css'), await small(yasgui + read('workbench.css')))

const scripts = {
  minify: true,
  bundle: true,
  format: 'iife',
  target: 'es2020',
  legalComments: 'none',
  nodePaths: [modules],
  logLevel: 'error'
}
for (const name of ['script.js', 'workbench.js']) {
  await esbuild.build({
    ...scripts,
    entryPoints: [join(assets, name)],
    outfile: join(output, name)
  })
}
