//! What every page shares: head, header, footer, links with their status mark.

use maud::{DOCTYPE, Markup, html};

/// What is around a page's content.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    /// Title of the page.
    pub title: String,
    /// Name of the service.
    pub service_name: String,
    /// The record's identifier, if the page is about one.
    pub canonical: Option<String>,
    /// Relation, address and media type of other representations.
    pub links: Vec<(&'static str, String, &'static str)>,
    /// Who is signed in.
    pub signed_in: Option<SignedIn>,
    /// The revision that was read.
    pub revision: u64,
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

    pub(super) fn show(&self) -> Markup {
        // Only these schemes are links; anything else is shown as text.
        let safe = self.url.starts_with('/')
            || self.url.starts_with("http://")
            || self.url.starts_with("https://");
        html! {
            @if safe { a href=(self.url) { (self.text) } } @else { (self.text) }
            (mark(&self.status))
        }
    }
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

/// The mark that repeats a record's status wherever it is named.
pub(super) fn mark(status: &str) -> Markup {
    html! {
        @match status {
            "" => {},
            "Illustrative" => { " " span class="mark mark-illustrative" { "Illustrative" } },
            "Unverified" => { " " span class="mark mark-unverified" { "Unverified" } },
            other => { " " span class="mark" { (other) } },
        }
    }
}

/// A whole page.
pub(super) fn page(layout: &Layout, main: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en-GB" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (layout.title) " – " (layout.service_name) }
                link rel="stylesheet" href="/assets/style.css";
                @if let Some(canonical) = &layout.canonical {
                    link rel="cite-as" href=(canonical);
                }
                @for (rel, href, media_type) in &layout.links {
                    link rel=(rel) href=(href) type=(media_type);
                }
            }
            body {
                a class="skip" href="#main" { "Skip to main content" }
                header {
                    div class="width" {
                        a class="service" href="/" { (layout.service_name) }
                        nav aria-label="Main" {
                            ul {
                                li { a href="/search" { "Search" } }
                                li { a href="/lesson" { "Lessons" } }
                                li { a href="/case-study" { "Case studies" } }
                                li { a href="/organisation" { "Organisations" } }
                                li { a href="/queries" { "Questions" } }
                                li { a href="/sparql" { "SPARQL" } }
                            }
                        }
                    }
                }
                main id="main" tabindex="-1" { div class="width" { (main) } }
                footer {
                    div class="width" {
                        ul {
                            li { a href="/about" { "About the data" } }
                            li { a href="/ontology" { "Ontology" } }
                            li { a href="/changes" { "Changes" } }
                            li { a href="/.well-known/void" { "Dataset description" } }
                        }
                        @if let Some(somebody) = &layout.signed_in {
                            form method="post" action="/sign-out" {
                                input type="hidden" name="form-secret" value=(somebody.form_secret);
                                p { "Signed in as " (somebody.name) " (" (somebody.role) ")" }
                                button { "Sign out" }
                            }
                        } @else {
                            p { a href="/sign-in" { "Sign in" } }
                        }
                        p { "Revision " (layout.revision) }
                    }
                }
            }
        }
    }
    .into_string()
}

/// A table that scrolls by itself on narrow screens, reachable by keyboard.
pub(super) fn scrolling(label: &str, table: &Markup) -> Markup {
    html! { div class="scroll" role="region" aria-label=(label) tabindex="0" { (table) } }
}
