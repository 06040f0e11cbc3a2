//! Pages that explain: the ontology, failures, the data, accessibility.

use crate::pages::layout::{Layout, Link, breadcrumb, page, page_with, scrolling, search_box};
use maud::{Markup, html};

/// A term of the ontology.
#[derive(Debug, Clone)]
pub struct OntologyTerm {
    /// Local name, also the fragment.
    pub name: String,
    /// Its IRI.
    pub iri: String,
    /// What people call it.
    pub label: String,
    /// What it means.
    pub definition: String,
    /// Classes or properties above it.
    pub above: Vec<String>,
    /// Where it comes from.
    pub source: Vec<String>,
    /// How many records use it.
    pub uses: Option<usize>,
}

/// How records of one class lead to those of another.
#[derive(Debug, Clone, Default)]
pub struct OntologyEdge {
    /// The class that has the property.
    pub from: String,
    /// The property.
    pub property: String,
    /// The class that it leads to.
    pub to: String,
    /// How often it occurs.
    pub count: usize,
}

/// The ontology.
#[derive(Debug, Clone)]
pub struct OntologyPage {
    /// What is around it.
    pub layout: Layout,
    /// How classes are linked in the data.
    pub edges: Vec<OntologyEdge>,
    /// Groups of terms.
    pub groups: Vec<(String, Vec<OntologyTerm>)>,
}

/// A failure.
#[derive(Debug, Clone)]
pub struct ProblemPage {
    /// What is around it.
    pub layout: Layout,
    /// The status.
    pub status: u16,
    /// What went wrong.
    pub details: String,
    /// What to do.
    pub hint: Option<String>,
    /// Line and column in a query.
    pub position: Option<(u64, u64)>,
    /// Address and media type of what exists.
    pub variants: Vec<(String, String)>,
    /// The request's id.
    pub request: String,
}

/// How classes are linked, as a picture: classes in a ring, an arrow for each
/// way from one to another.
fn diagram(edges: &[OntologyEdge]) -> Markup {
    let mut classes: Vec<&str> = Vec::new();
    for edge in edges {
        for name in [edge.from.as_str(), edge.to.as_str()] {
            if !classes.contains(&name) {
                classes.push(name);
            }
        }
    }
    classes.sort_unstable();
    let place = |name: &str| {
        let index = classes.iter().position(|class| *class == name).unwrap_or(0);
        #[expect(clippy::cast_precision_loss, reason = "a few dozen classes")]
        let angle = index as f64 / classes.len().max(1) as f64 * std::f64::consts::TAU;
        (400.0 + angle.cos() * 280.0, 240.0 + angle.sin() * 185.0)
    };
    html! {
        svg class="app-diagram" viewBox="0 0 800 480" role="img" aria-label="How classes are linked; the table below holds the same" {
            @for edge in edges.iter().filter(|edge| edge.from != edge.to) {
                @let ((x1, y1), (x2, y2)) = (place(&edge.from), place(&edge.to));
                // Bent towards the middle, so that lines do not lie on each other.
                path d=(format!("M{x1:.0} {y1:.0}Q{:.0} {:.0} {x2:.0} {y2:.0}", f64::midpoint(x1, x2) * 0.6 + 160.0, f64::midpoint(y1, y2) * 0.6 + 96.0)) { title { (edge.from) " – " (edge.property) " – " (edge.to) } }
            }
            @for class in &classes {
                @let (x, y) = place(class);
                circle cx=(format!("{x:.0}")) cy=(format!("{y:.0}")) r="8" {}
                text x=(format!("{x:.0}")) y=(format!("{:.0}", y - 14.0)) { (class) }
            }
        }
    }
}

/// The ontology.
#[must_use]
pub fn ontology(data: &OntologyPage) -> String {
    let content = html! {
        h1 class="nhsuk-heading-l" { "Ontology" }
        p class="nhsuk-body-l" { "The classes and properties of the graph: what can be said in it, and how." }
        p { "Ask this address for text/turtle, application/rdf+xml or application/ld+json to get it as data." }
        nav aria-label="On this page" {
            ul class="app-inline" {
                @if !data.edges.is_empty() { li { a href="#linked" { "How classes are linked" } } }
                @for (index, (title, terms)) in data.groups.iter().enumerate() {
                    li { a href={ "#group-" (index) } { (title) " (" (terms.len()) ")" } }
                }
            }
        }
        @if !data.edges.is_empty() {
            section class="app-section" aria-labelledby="linked" {
                h2 class="nhsuk-heading-m" id="linked" { "How classes are linked" }
                p { "As the records have it now; of each class, the first 200 records are looked at." }
                (diagram(&data.edges))
                details class="nhsuk-details" {
                    summary class="nhsuk-details__summary" { span class="nhsuk-details__summary-text" { "The same as a table" } }
                    div class="nhsuk-details__text" {
                        (scrolling("How classes are linked", &html! {
                            table class="nhsuk-table" {
                                caption class="nhsuk-u-visually-hidden" { "How classes are linked" }
                                thead class="nhsuk-table__head" { tr { th scope="col" { "From" } th scope="col" { "Property" } th scope="col" { "To" } th scope="col" class="app-number" { "Times" } } }
                                tbody class="nhsuk-table__body" {
                                    @for edge in &data.edges { tr { td { (edge.from) } td { (edge.property) } td { (edge.to) } td class="app-number" { (edge.count) } } }
                                }
                            }
                        }))
                    }
                }
            }
        }
        @for (index, (title, terms)) in data.groups.iter().enumerate() {
            section class="app-section" aria-labelledby={ "group-" (index) } {
                h2 class="nhsuk-heading-m" id={ "group-" (index) } { (title) }
                (scrolling(title, &html! {
                    table class="nhsuk-table" {
                        caption class="nhsuk-u-visually-hidden" { (title) }
                        thead class="nhsuk-table__head" { tr { th scope="col" { "Term" } th scope="col" { "Meaning" } th scope="col" { "Narrower than" } th scope="col" class="app-number" { "Used" } } }
                        tbody class="nhsuk-table__body" {
                            @for term in terms {
                                tr id=(term.name) {
                                    th scope="row" { (term.label) br; code { (term.name) } }
                                    td { (term.definition) }
                                    td { @for above in &term.above { (Link::new(above.rsplit(['#', '/']).next().unwrap_or(above), above).show()) " " } }
                                    td class="app-number" { @if let Some(uses) = term.uses { (uses) } }
                                }
                            }
                        }
                    }
                }))
            }
        }
    };
    page_with(&data.layout, &breadcrumb(&[Link::new("Home", "/")]), &content)
}

/// A failure, as a page.
#[must_use]
pub fn problem(data: &ProblemPage) -> String {
    let content = html! {
        h1 class="nhsuk-heading-l" { (data.layout.title) }
        p class="nhsuk-body-l" { (data.details) }
        @if let Some((line, column)) = data.position { p { "Line " (line) ", column " (column) } }
        @if let Some(hint) = &data.hint { p { "What to do: " (hint) } }
        @if !data.variants.is_empty() {
            h2 class="nhsuk-heading-m" { "What there is" }
            ul { @for (url, media_type) in &data.variants { li { a href=(url) { (media_type) } } } }
        }
        (search_box("Search instead", "", "", &html! {}))
        ul class="app-inline" {
            li { a href="/" { "Home" } }
            li { a href="/explore" { "Explore" } }
            li { a href="/queries" { "Questions" } }
        }
        p class="app-small" { "Status " (data.status) ", request " (data.request) }
    };
    page(&Layout { searches: true, ..data.layout.clone() }, &content)
}

/// What a problem type means.
#[must_use]
pub fn problem_type(layout: &Layout, title: &str, meaning: &str, status: u16, iri: &str) -> String {
    let content = html! {
        h1 class="nhsuk-heading-l" { (title) }
        p class="nhsuk-body-l" { (meaning) }
        p { "Problem type " code { (iri) } ", HTTP status " (status) "." }
    };
    page(layout, &content)
}

/// About the data.
#[must_use]
pub fn about(layout: &Layout) -> String {
    let content = html! {
        h1 class="nhsuk-heading-l" { "About the data" }
        p class="nhsuk-body-l" { "What is recorded here, how sure it is, whose it is, and how to cite it." }
        section class="app-section" aria-labelledby="sure" {
            h2 class="nhsuk-heading-m" id="sure" { "How sure it is" }
            ul {
                li { strong { "Sourced" } ": a public source says so; the record names it, with its date." }
                li { strong { "Unverified" } ": general knowledge or an inference; check it before use." }
                li { strong { "Illustrative" } ": made up to show how evidence is linked; never about a real organisation." }
            }
            p { "Real and illustrative records live in different graphs. Figures that disagree stand side by side, each with its source; forecasts and claims are marked as such. People appear as roles." }
            p { "That the programme has 18 sites is a stated number. Their list was not found in public sources, so no organisation is shown as a site unless a source says so. Themes and dimensions are assigned by the editors of this graph." }
        }
        section class="app-section" aria-labelledby="strength" {
            h2 class="nhsuk-heading-m" id="strength" { "How strong the support of a lesson is" }
            p { "Each lesson shows how much stands behind it, computed from what is recorded here. What counts: evidence that supports it, case studies that it was drawn from, documents that state it. Of a real lesson only real records count; drafts never do." }
            ol {
                li { strong { "Independent lines." } " Pieces that share an organisation, a source or a publisher are one line, and so are all that name none. One line gives 1 point, two give 2, three or four give 3, five and more give 4." }
                li { strong { "Kinds." } " A second kind of support gives 1 point: interviews beside an evaluation, say." }
                li { strong { "Evaluated or measured." } " An evaluation, or a case study with a measured figure, gives 1 point." }
                li { strong { "Against it." } " Each independent line of evidence that disputes it takes 1 point away, at most 2. With as many lines against it as for it, the lesson is contested, whatever the points say." }
            }
            p { "Of 6 points, 1 and 2 are weak, 3 and 4 moderate, 5 and 6 strong. One line alone is weak, however many points it has; nothing is strong with a line against it. Most lessons here rest on one publication, so most are weak: that says how little is recorded, not that they are wrong." }
            p { "Illustrative lessons also state a strength from 1 to 5. That is what their author made up; it has no part in this." }
            p { "Feedback by users (“used it”, “did not fit because …”) is evidence like any other once a curator has published it." }
            p { a href="/compare#how" { "How comparisons are counted" } " stands with each comparison." }
        }
        section class="app-section" aria-labelledby="cite" {
            h2 class="nhsuk-heading-m" id="cite" { "How to cite it" }
            p { "Every record has a permanent address that stays when pages move, and ready citations as text, BibTeX, RIS and CSL-JSON. To cite a record as it stood on a day, follow its history and cite the page of that revision." }
            p { "Of the data as a whole, name the service, the number of the last change, which every answer carries as Insites-Revision, and the day." }
        }
        section class="app-section" aria-labelledby="licences" {
            h2 class="nhsuk-heading-m" id="licences" { "Licences" }
            p { "Our own words are under " a href="https://creativecommons.org/licenses/by/4.0/" { "CC BY 4.0" } ". Facts and figures belong to nobody; each names its source. Names, codes and places of NHS trusts come from RCPCH NHS Organisations, copyright 2024 The Royal College of Paediatrics and Child Health, MIT licence; names of support programmes from the NHS Innovation Service, Open Government Licence v3.0. The outline on maps is from Natural Earth, in the public domain. Styles build on NHS.UK frontend, MIT licence." }
        }
        section class="app-section" aria-labelledby="who" {
            h2 class="nhsuk-heading-m" id="who" { "Who runs this" }
            p { "This service is not run by the NHS and does not speak for it." }
        }
    };
    page_with(layout, &breadcrumb(&[Link::new("Home", "/")]), &content)
}

/// The accessibility statement.
#[must_use]
pub fn accessibility(layout: &Layout) -> String {
    let content = html! {
        h1 class="nhsuk-heading-l" { "Accessibility statement" }
        p class="nhsuk-body-l" { "Everyone should be able to read, search and use this service, by keyboard, with a screen reader, enlarged, on a phone or printed." }
        section class="app-section" aria-labelledby="works" {
            h2 class="nhsuk-heading-m" id="works" { "What works" }
            ul {
                li { "Every page works without script; script only adds comfort." }
                li { "You can zoom to 400 % without scrolling sideways; wide tables scroll inside their own frame, which the keyboard reaches." }
                li { "Every picture (map, chart, timeline, neighbourhood) has the same content as a table or a list beside it." }
                li { "Colour is never the only sign: statuses are words." }
                li { "Nothing is loaded from elsewhere, nothing moves by itself, and nothing times out while you read." }
            }
        }
        section class="app-section" aria-labelledby="not" {
            h2 class="nhsuk-heading-m" id="not" { "What is not as good as it should be" }
            p { "The SPARQL editor, which comes from another project, shows its table of results with controls that some screen readers do not announce well. The plain form below it gives the same answer as an ordinary table." }
        }
        section class="app-section" aria-labelledby="how" {
            h2 class="nhsuk-heading-m" id="how" { "How it is tested" }
            p { "Whenever the program changes, every kind of page is looked at in Chromium: by axe-core against WCAG 2.2 level AA, with script, without and at 400 % zoom; by keyboard, where each stop must be seen; in print; and by a validator of HTML. Searching, filtering, reading a record and its evidence and going back is done by keyboard alone, with script and without. Such tests find perhaps half of what people find: it has not been audited by people who rely on assistive technology. The statement was prepared on 25 November 2026." }
        }
    };
    page_with(layout, &breadcrumb(&[Link::new("Home", "/")]), &content)
}
