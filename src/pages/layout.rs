//! What every page shares: head, header, footer, links with their status mark.

use crate::pages::assets::address;
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// What is around a page's content.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    /// Title of the page.
    pub title: String,
    /// Name of the service.
    pub service_name: String,
    /// What the page is about, for search engines.
    pub description: String,
    /// The part of the service that the page belongs to: its address.
    pub part: &'static str,
    /// The record's identifier, if the page is about one.
    pub canonical: Option<String>,
    /// Relation, address and media type of other representations.
    pub links: Vec<(&'static str, String, &'static str)>,
    /// Names and values for reference managers.
    pub citation: Vec<(&'static str, String)>,
    /// schema.org block; empty for none. `<` must be escaped in it.
    pub json_ld: String,
    /// Address of the stylesheet with the colours of this service.
    pub brand: Option<String>,
    /// Whether the page has the SPARQL editor.
    pub editor: bool,
    /// Whether the page has its own search box.
    pub searches: bool,
    /// Who is signed in.
    pub signed_in: Option<SignedIn>,
}

/// Somebody who is signed in.
#[derive(Debug, Clone, Default)]
pub struct SignedIn {
    /// The token's name.
    pub name: String,
    /// The role's name.
    pub role: String,
    /// What forms send back.
    pub form_secret: String,
}

/// A link to a record or elsewhere.
#[derive(Debug, Clone, Default)]
pub struct Link {
    /// Its text.
    pub text: String,
    /// Its address.
    pub url: String,
    /// The record's status, empty if it has none.
    pub status: String,
}

impl Link {
    /// A link without a status.
    #[must_use]
    pub fn new(text: &str, url: &str) -> Self {
        Self { text: text.to_owned(), url: url.to_owned(), status: String::new() }
    }

    /// The same link with the status of what it points to.
    #[must_use]
    pub fn with_status(mut self, status: &str) -> Self {
        status.clone_into(&mut self.status);
        self
    }

    /// Only these schemes are links; anything else is shown as text.
    pub(super) fn is_safe(&self) -> bool {
        self.url.starts_with('/')
            || self.url.starts_with("http://")
            || self.url.starts_with("https://")
    }

    pub(super) fn show(&self) -> Markup {
        html! {
            @if self.is_safe() { a href=(self.url) { (self.text) } } @else { (self.text) }
            (mark(&self.status))
        }
    }
}

/// A date as people write it: `2024-03-22` is 22 March 2024. What is no such
/// date stays as it is.
#[must_use]
pub fn day(text: &str) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let digits = |part: &str, long: usize| -> Option<usize> {
        (part.len() == long && part.bytes().all(|b| b.is_ascii_digit()))
            .then(|| part.parse().ok())?
    };
    let parts: Vec<&str> = text.split('-').collect();
    let month = |part: &str| MONTHS.get(digits(part, 2)?.checked_sub(1)?);
    let written = match parts.as_slice() {
        [year, of] => digits(year, 4).zip(month(of)).map(|(year, of)| format!("{of} {year}")),
        [year, of, day] => digits(year, 4)
            .zip(month(of))
            .zip(digits(day, 2))
            .map(|((year, of), day)| format!("{day} {of} {year}")),
        _ => None,
    };
    written.unwrap_or_else(|| text.to_owned())
}

/// A value of a fact or a cell.
#[derive(Debug, Clone)]
pub enum Value {
    /// Something with an address.
    Link(Link),
    /// Text with its language.
    Text {
        /// The text.
        text: String,
        /// BCP 47 tag.
        language: Option<String>,
    },
}

impl Value {
    /// Text in the language of the page.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::Text { text: text.to_owned(), language: None }
    }

    /// What is to be read of it.
    #[must_use]
    pub fn plain(&self) -> &str {
        match self {
            Self::Link(link) => &link.text,
            Self::Text { text, .. } => text,
        }
    }

    pub(super) fn show(&self) -> Markup {
        match self {
            Self::Link(link) => link.show(),
            Self::Text { text, language } => match language.as_deref() {
                Some(language) if language != "en" && language != "en-gb" => {
                    html! { span lang=(language) { (text) } }
                }
                _ => html! { (text) },
            },
        }
    }
}

/// Several values as one cell: one as it is, more as a list.
pub(super) fn several(values: &[Value]) -> Markup {
    html! {
        @match values {
            [] => {},
            [value] => { (value.show()) },
            values => ul class="nhsuk-list app-list-tight" { @for value in values { li { (value.show()) } } },
        }
    }
}

/// The mark that repeats a record's status wherever it is named.
pub(super) fn mark(status: &str) -> Markup {
    let (class, text) = match status {
        "" => return html! {},
        "Illustrative" => ("nhsuk-tag--purple app-mark--illustrative", status),
        "Unverified" => ("nhsuk-tag--orange", status),
        "Sourced" => ("nhsuk-tag--green", status),
        other => ("nhsuk-tag--grey", other),
    };
    html! { " " strong class={ "nhsuk-tag app-mark " (class) } { (text) } }
}

/// The parts of the service, in the order of the navigation.
const PARTS: [(&str, &str); 7] = [
    ("/search", "Search"),
    ("/lesson", "Lessons"),
    ("/case-study", "Case studies"),
    ("/organisation", "Organisations"),
    ("/explore", "Explore"),
    ("/queries", "Questions"),
    ("/sparql", "SPARQL"),
];

/// Roles that write.
const WRITERS: [&str; 3] = ["contributor", "curator", "administrator"];

/// A whole page.
pub(super) fn page(layout: &Layout, main: &Markup) -> String {
    page_with(layout, &html! {}, main)
}

/// A whole page with something before its main part, such as breadcrumbs.
pub(super) fn page_with(layout: &Layout, before: &Markup, main: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en-GB" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (layout.title) " – " (layout.service_name) }
                @if !layout.description.is_empty() {
                    meta name="description" content=(layout.description);
                }
                @for name in ["style.css", "workbench.css"] {
                    @if (name == "style.css" || layout.editor)
                        && let Some(address) = address(name) {
                        link rel="stylesheet" href=(address);
                    }
                }
                @if let Some(brand) = &layout.brand { link rel="stylesheet" href=(brand); }
                @if let Some(address) = address("icon.svg") {
                    link rel="icon" href=(address) type="image/svg+xml";
                }
                @if let Some(canonical) = &layout.canonical {
                    link rel="cite-as" href=(canonical);
                }
                @for (rel, href, media_type) in &layout.links {
                    link rel=(rel) href=(href) type=(media_type);
                }
                @for (name, value) in &layout.citation { meta name=(name) content=(value); }
                @for name in ["script.js", "workbench.js"] {
                    @if (name == "script.js" || layout.editor)
                        && let Some(address) = address(name) {
                        script src=(address) defer {}
                    }
                }
                @if !layout.json_ld.is_empty() {
                    script type="application/ld+json" { (PreEscaped(&layout.json_ld)) }
                }
            }
            body {
                a class="nhsuk-skip-link" href="#main" { "Skip to main content" }
                header class="nhsuk-header app-header" {
                    div class="nhsuk-header__container nhsuk-width-container app-header__row" {
                        div class="nhsuk-header__service" {
                            a class="nhsuk-header__service-name" href="/" { (layout.service_name) }
                        }
                        @if !layout.searches {
                            form class="app-header__search" action="/search" method="get" role="search" {
                                label class="nhsuk-u-visually-hidden" for="header-q" { "Search lessons, case studies and organisations" }
                                input class="nhsuk-input" type="search" id="header-q" name="q" autocomplete="off" placeholder="Search" data-suggest;
                                button class="app-header__button" type="submit" { "Search" }
                            }
                        }
                    }
                    nav class="nhsuk-header__navigation" aria-label="Main" {
                        div class="nhsuk-header__navigation-container nhsuk-width-container" {
                            ul class="nhsuk-header__navigation-list" {
                                @let writes = layout.signed_in.as_ref().is_some_and(|somebody| WRITERS.contains(&somebody.role.as_str()));
                                @for (url, name) in PARTS.into_iter().chain(writes.then_some(("/capture", "Contribute"))) {
                                    @let current = layout.part == url;
                                    li class=(if current { "nhsuk-header__navigation-item nhsuk-header__navigation-item--current" } else { "nhsuk-header__navigation-item" }) {
                                        a class="nhsuk-header__navigation-link" href=(url) aria-current=[current.then_some("true")] { (name) }
                                    }
                                }
                            }
                        }
                    }
                }
                div class="nhsuk-width-container" {
                    (before)
                    main class="nhsuk-main-wrapper" id="main" tabindex="-1" { (main) }
                }
                footer class="nhsuk-footer app-footer" {
                    div class="nhsuk-width-container" {
                        nav aria-label="Footer" {
                            ul class="app-footer__list" {
                                @for (url, name) in [
                                    ("/about", "About the data"),
                                    ("/accessibility", "Accessibility statement"),
                                    ("/ontology", "Ontology"),
                                    ("/changes.atom", "What changed (Atom)"),
                                    ("/.well-known/void", "Dataset description"),
                                ] {
                                    li { a href=(url) { (name) } }
                                }
                            }
                        }
                        @if let Some(somebody) = &layout.signed_in {
                            form method="post" action="/sign-out" {
                                input type="hidden" name="form-secret" value=(somebody.form_secret);
                                p { "Signed in as " (somebody.name) " (" (somebody.role) ")" }
                                button class="nhsuk-button nhsuk-button--secondary nhsuk-button--small" type="submit" { "Sign out" }
                            }
                        } @else {
                            p { a href="/sign-in" { "Sign in" } " for site teams and curators" }
                        }
                        p class="app-footer__note" { "Not run by the NHS, and not speaking for it." }
                    }
                }
            }
        }
    }
    .into_string()
}

/// The way back, before a page's main part.
pub(super) fn breadcrumb(links: &[Link]) -> Markup {
    html! {
        nav class="nhsuk-breadcrumb" aria-label="Breadcrumb" {
            ol class="nhsuk-breadcrumb__list" {
                @for link in links {
                    li class="nhsuk-breadcrumb__list-item" {
                        a class="nhsuk-breadcrumb__link" href=(link.url) { (link.text) }
                    }
                }
            }
        }
    }
}

/// A part that scrolls by itself on narrow screens, reachable by keyboard.
pub(super) fn scrolling(label: &str, table: &Markup) -> Markup {
    html! { div class="app-scroll" role="region" aria-label={ "Table: " (label) } tabindex="0" { (table) } }
}

/// Previous and next page.
pub(super) fn pagination(
    previous: Option<&str>,
    next: Option<&str>,
    (page, pages): (usize, usize),
) -> Markup {
    html! {
        @if previous.is_some() || next.is_some() {
            nav class="app-pages" aria-label="Pages" {
                @if let Some(url) = previous { a class="app-pages__link" rel="prev" href=(url) { "Previous page" } }
                @if pages > 1 { span class="app-pages__count" { "Page " (page) " of " (pages) } }
                @if let Some(url) = next { a class="app-pages__link" rel="next" href=(url) { "Next page" } }
            }
        }
    }
}

/// A large search box with its button.
pub(super) fn search_box(label: &str, hint: &str, value: &str, hidden: &Markup) -> Markup {
    html! {
        form class="app-search" action="/search" method="get" role="search" {
            div class="nhsuk-form-group" {
                label class="nhsuk-label nhsuk-label--m" for="q" { (label) }
                @if !hint.is_empty() { div class="nhsuk-hint" id="q-hint" { (hint) } }
                div class="app-search__row" {
                    input class="nhsuk-input" type="search" id="q" name="q" value=(value) autocomplete="off" data-suggest aria-describedby=[(!hint.is_empty()).then_some("q-hint")];
                    button class="nhsuk-button" type="submit" { "Search" }
                }
            }
            (hidden)
        }
    }
}
