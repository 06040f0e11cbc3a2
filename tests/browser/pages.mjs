// Every kind of page, by an address of each. Records are found by asking the
// service, so that a change of the seed data does not leave a kind unlooked at.

const KINDS = [
  'CaseStudy', 'Lesson', 'Organisation', 'Programme', 'Document', 'Report', 'Evidence', 'Interview',
  'Workshop', 'ToolAnswer', 'Questionnaire', 'Result', 'Membership', 'Partnership'
]
const CONCEPTS = ['theme', 'dimension', 'region', 'outcome', 'organisation-kind', 'role']

const graphQuery = (text) =>
  '/sparql?query=' + encodeURIComponent(`PREFIX insites: <https://w3id.org/insites/ontology#>
PREFIX dct: <http://purl.org/dc/terms/>
PREFIX prov: <http://www.w3.org/ns/prov#>
${text}`)
// From lessons back to where their evidence comes from, and from lessons to
// organisations, which is more than a picture holds.
const THREAD = `CONSTRUCT {
  ?lesson dct:title ?title ; insites:supportedBy ?evidence .
  ?evidence prov:wasGeneratedBy ?activity .
  ?activity insites:atSite ?site .
}
WHERE {
  ?lesson a insites:Lesson ; dct:title ?title ; insites:supportedBy ?evidence .
  ?evidence prov:wasGeneratedBy ?activity .
  ?activity insites:atSite ?site .
}`
const CASES = `CONSTRUCT { ?lesson insites:fromCaseStudy ?case ; dct:title ?title . ?case insites:atOrganisation ?organisation }
WHERE { ?lesson insites:fromCaseStudy ?case ; dct:title ?title . ?case insites:atOrganisation ?organisation }`

const first = async (base, pattern, order = '?s') => {
  const query = `PREFIX insites: <https://w3id.org/insites/ontology#>
    PREFIX org: <http://www.w3.org/ns/org#> PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
    SELECT DISTINCT ?s { ${pattern} FILTER(STRSTARTS(STR(?s), "https://w3id.org/insites/id/")) } ORDER BY ${order} LIMIT 1`
  const answer = await fetch(`${base}/sparql?query=${encodeURIComponent(query)}`, {
    headers: { accept: 'application/sparql-results+json' }
  })
  if (!answer.ok) throw new Error(await answer.text())
  const row = (await answer.json()).results.bindings[0]
  return row && row.s.value.replace('https://w3id.org/insites/id', '')
}

/** Name, address and status of every kind of page. */
export const everyPage = async (base) => {
  const pages = [
    ['home', '/'],
    ['search, empty', '/search'],
    ['search, with hits', '/search?q=missed+appointments'],
    ['search, filtered', '/search?q=missed+appointments&kind=lesson&from=2020&sort=newest'],
    ['search, corrected', '/search?q=misd+apointments'],
    ['search, exact', '/search?q=apointments&match=exact'],
    ['search, nothing', '/search?q=zzzqwx&theme=local-partners'],
    ['search, second page', '/search?q=digital&page=2'],
    ['list of lessons', '/lesson'],
    ['list of case studies', '/case-study'],
    ['list of organisations', '/organisation'],
    ['list of sites', '/site'],
    ['explore', '/explore'],
    ['what worked', '/outcomes'],
    ['compare, organisations', '/compare'],
    ['compare, themes by region', '/compare?rows=theme&columns=region'],
    ['compare, by year', '/compare?rows=theme&columns=period&count=records'],
    ['compare, narrowed', '/compare?rows=theme&columns=outcome&count=records&from=case-study&region=london&dimension=build-capabilities'],
    ['compare, illustrative', '/compare?rows=dimension&columns=site&show=illustrative'],
    ['compare, roles', '/compare?rows=theme&columns=role&show=illustrative&count=records'],
    ['compare, nothing', '/compare?rows=theme&columns=role&from=tool-answer'],
    ['compare, a cell', '/compare?rows=theme&columns=region&cell=local-partners~london'],
    ['compare, a row', '/compare?rows=theme&columns=region&cell=culture~'],
    ['compare, mistake', '/compare?rows=colour', 400],
    ['map', '/map'],
    ['timeline', '/timeline'],
    ['questions', '/queries'],
    ['question with parameters', '/queries/who-works-with-a-partner'],
    ['question with a map', '/queries/map-of-organisations'],
    ['question with a chart', '/queries/records-by-status'],
    ['workbench', '/sparql'],
    ['workbench, answer', '/sparql?query=' + encodeURIComponent('SELECT ?class (COUNT(*) AS ?n) { ?s a ?class } GROUP BY ?class ORDER BY DESC(?n) LIMIT 10')],
    ['workbench, graph', graphQuery(THREAD)],
    ['workbench, large graph', graphQuery(CASES)],
    ['workbench, description', graphQuery('DESCRIBE <https://w3id.org/insites/id/case-study/deep-medical-mse>')],
    ['workbench, mistake', '/sparql?query=' + encodeURIComponent('SELECT ?x {\n  ?x ?y\n}'), 400],
    ['ontology', '/ontology'],
    ['about', '/about'],
    ['accessibility', '/accessibility'],
    ['sign in', '/sign-in'],
    ['code book', '/capture/codes'],
    ['problem type', '/problem/busy'],
    ['not found', '/lesson/there-is-no-such-lesson', 404]
  ]
  for (const kind of KINDS) {
    for (const status of ['Sourced', 'Unverified', 'Illustrative']) {
      const url = await first(base, `?s a insites:${kind} ; insites:status insites:${status}`)
      if (url) pages.push([`${kind}, ${status}`, url])
    }
    if (!pages.some(([name]) => name.startsWith(kind + ','))) throw new Error(`no record of ${kind}`)
  }
  pages.push(['Organisation with partners', await first(base, '?p a insites:Partnership ; insites:partner ?s . ?s a insites:Organisation')])
  pages.push(['CaseStudy with figures', await first(base, '?r insites:ofCaseStudy ?s ; insites:value ?v')])
  for (const kind of CONCEPTS) {
    const url = await first(base, `?s a skos:Concept FILTER(CONTAINS(STR(?s), "/id/${kind}/"))`)
    if (!url) throw new Error(`no concept of ${kind}`)
    pages.push([`concept: ${kind}`, url])
  }
  const lesson = await first(base, '?s a insites:Lesson ; insites:supportedBy ?e')
  pages.push(['lesson with a chain', lesson])
  pages.push(['neighbourhood', lesson + '/graph'])
  pages.push(['history', lesson + '/history'])
  pages.push(['of the past', lesson + '?revision=1'])
  return pages.map(([name, url, status = 200]) => ({ name, url, status }))
}

/** A sourced case study and a lesson with its chain, for journeys. */
export const examples = async (base) => ({
  lesson: await first(base, '?s a insites:Lesson ; insites:supportedBy ?e'),
  // Nothing leads to it, so that it can go.
  unsupported: await first(base, '?s a insites:Lesson ; insites:status insites:Sourced FILTER NOT EXISTS { ?other ?any ?s }'),
  caseStudy: await first(base, '?s a insites:CaseStudy ; insites:status insites:Sourced'),
  partner: await first(base, '?p a insites:Partnership ; insites:partner ?s . ?s a insites:Partner')
})
