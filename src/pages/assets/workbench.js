// The SPARQL editor: YASGUI at our own endpoint, with our own words to complete
// and nothing asked of other hosts. Without it the form on the page does it all.
import Yasgui from '@zazuko/yasgui'

const start = async () => {
  const place = document.getElementById('editor')
  const plain = document.getElementById('plain')
  const said = document.getElementById('editor-said')
  if (!place || !plain) return
  const endpoint = new URL(place.dataset.endpoint, location.href).href
  const Yasqe = Yasgui.Yasqe

  // Words from our own ontology; those that come with the editor ask elsewhere.
  let words = null
  const vocabulary = async () => {
    if (!words) {
      const query =
        'PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> PREFIX owl: <http://www.w3.org/2002/07/owl#> ' +
        'SELECT DISTINCT ?term ?class { { ?term a owl:Class . BIND(true AS ?class) } UNION ' +
        '{ { ?term a owl:ObjectProperty } UNION { ?term a owl:DatatypeProperty } BIND(false AS ?class) } }'
      words = fetch(endpoint + '?query=' + encodeURIComponent(query), {
        headers: { accept: 'application/sparql-results+json' }
      })
        .then((answer) => answer.json())
        .then(({ results }) => results.bindings.map((row) => [row.term.value, row.class.value === 'true']))
        .catch(() => [])
    }
    return words
  }
  const own = (wanted, more) => async (yasqe, token) => {
    const prefixes = Object.values(yasqe.getPrefixesFromQuery())
    const terms = (await vocabulary()).filter(([, isClass]) => isClass === wanted).map(([term]) => term)
    const typed = (token && (token.autocompletionString || token.string)) || ''
    return [...more, ...terms]
      .filter((term) => term.startsWith(typed) || term.toLowerCase().includes(typed.toLowerCase().replace(/^.*[#/:]/, '')))
      .sort((a, b) => prefixes.some((p) => b.startsWith(p)) - prefixes.some((p) => a.startsWith(p)))
      .slice(0, 60)
  }
  const standard = ['title', 'description', 'subject', 'source', 'date'].map((name) => 'http://purl.org/dc/terms/' + name)
  const completers = Yasqe.Autocompleters || {}
  if (completers.class) completers.class.get = own(true, [])
  if (completers.property) completers.property.get = own(false, [...standard, 'http://www.w3.org/2004/02/skos/core#prefLabel', 'http://www.w3.org/2000/01/rdf-schema#label'])
  const prefixes = JSON.parse(place.dataset.prefixes || '{}')
  if (completers.prefixes) {
    completers.prefixes.get = async () =>
      Object.entries(prefixes).map(([prefix, iri]) => prefix + ': <' + iri + '>').sort()
  }

  const query = document.getElementById('query').value
  place.hidden = false
  const yasgui = new Yasgui(place, {
    requestConfig: { endpoint, method: 'POST' },
    copyEndpointOnNewTab: true,
    endpointCatalogueOptions: { getData: () => [] },
    persistencyExpire: 60 * 60 * 24,
    // The page's own address is read below; nothing is asked before somebody asks.
    populateFromUrl: false,
    yasr: { prefixes, maxPersistentResponseSize: 10000 }
  })
  const asked = new URLSearchParams(location.search).get('query')
  let tab = yasgui.getTab()
  const untouched = !tab.getQuery() || /SELECT \* WHERE \{\s*\?sub/.test(tab.getQuery())
  if (asked && !untouched && tab.getQuery() !== asked) tab = yasgui.addTab(true, { ...Yasgui.Tab.getDefaults(), requestConfig: undefined, name: 'From the address' })
  tab.setEndpoint(endpoint)
  if (asked || untouched) tab.setQuery(query)

  // Names for controls that come without one.
  const name = () => {
    place.querySelectorAll('.CodeMirror textarea').forEach((field) => field.setAttribute('aria-label', 'SPARQL query'))
    place.querySelectorAll('.yasqe_queryButton').forEach((button) => button.setAttribute('aria-label', 'Run query'))
    place.querySelectorAll('select.tableSizer').forEach((field) => field.setAttribute('aria-label', 'Rows on a page'))
    place.querySelectorAll('.errorResult pre, .CodeMirror-scroll').forEach((part) => {
      if (part.tabIndex < 0) part.tabIndex = 0
    })
    // A list of tabs may hold nothing but tabs, and theirs holds a button.
    place.querySelectorAll('[role="tablist"]').forEach((list) => list.removeAttribute('role'))
    place.querySelectorAll('[role="tab"]').forEach((tab) => {
      tab.setAttribute('role', 'button')
      tab.setAttribute('aria-pressed', tab.getAttribute('aria-selected') ?? 'false')
      tab.removeAttribute('aria-selected')
    })
    place.querySelectorAll('[role="tabpanel"]').forEach((panel) => panel.removeAttribute('role'))
    place.querySelectorAll('table.dataTable thead th:first-child').forEach((cell) => {
      if (cell.textContent === '') {
        const word = document.createElement('span')
        word.className = 'nhsuk-u-visually-hidden'
        word.textContent = 'Row'
        cell.append(word)
      }
    })
  }
  name()
  new MutationObserver(name).observe(place, { childList: true, subtree: true })

  // Limits and what is left of them, and errors at their place.
  const limit = Number(place.dataset.seconds)
  let ticking = 0
  const watch = (tab) => {
    const yasqe = tab.getYasqe()
    yasqe.on('query', () => {
      // The answer below belongs to the query in the address.
      const answer = document.getElementById('answer')
      if (answer) answer.parentElement.hidden = true
      const begun = Date.now()
      clearInterval(ticking)
      ticking = setInterval(() => {
        said.textContent = 'Running; ' + Math.max(0, Math.ceil(limit - (Date.now() - begun) / 1000)) + ' s left.'
      }, 1000)
    })
    yasqe.on('queryResponse', async (_, response, duration) => {
      clearInterval(ticking)
      // The page draws what the editor only lists.
      const picture = document.createElement('a')
      picture.href = '/sparql?query=' + encodeURIComponent(yasqe.getValue())
      picture.textContent = 'Show the answer as a chart, map or graph'
      said.replaceChildren('Answered in ' + duration + ' ms, of at most ' + limit * 1000 + ' ms. ', picture)
      const failure = response && response.response ? response.response : response
      const text = failure && (failure.text || (failure.data && JSON.stringify(failure.data)))
      try {
        const problem = typeof text === 'string' ? JSON.parse(text) : null
        if (problem && problem.line) {
          said.textContent = 'Line ' + problem.line + ', column ' + problem.column + ': ' + problem.detail
          yasqe.setCursor({ line: problem.line - 1, ch: problem.column - 1 })
          yasqe.focus()
        }
      } catch {
        // An answer that is no problem says what it is by itself.
      }
    })
  }
  watch(tab)
  yasgui.on('tabAdd', () => setTimeout(() => watch(yasgui.getTab()), 0))

  const details = document.createElement('details')
  details.className = 'nhsuk-details'
  const summary = document.createElement('summary')
  summary.className = 'nhsuk-details__summary'
  summary.textContent = 'Plain form, without the editor'
  plain.before(details)
  details.append(summary, plain)
}
start().catch((error) => {
  const place = document.getElementById('editor')
  if (place) place.hidden = true
  throw error
})
