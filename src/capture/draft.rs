//! Drafts: records that are not published yet, each in a graph of its own that
//! curators see, and the contributors of its site. Not for what a draft says.
//!
//! What is known of drafts (whose they are, how far they have come) stands in
//! `{base}graph/catalogue-drafts`, which the public does not see, since the
//! address of a draft tells its title.

use crate::access::{Caller, Role};
use crate::commit::Edit;
use crate::graph::{GraphPattern, Snapshot};
use crate::problem::Kind;
use crate::rdf::vocabulary::{DCTERMS, INSITES};
use crate::rdf::{
    Literal, NamedNode, Names, Quad, QuadIds, Revision, Term, TermId, Triple, Visibility, now,
};
use oxigraph::model::vocab::xsd;

/// Longest slug made from a title (characters).
const LONGEST_SLUG: usize = 60;
/// Slugs that are parts of addresses already.
const RESERVED: [&str; 6] = ["import", "template", "check", "new", "preview", "draft"];
/// Properties that lead from a record to its parts, which are written,
/// published and replaced with it.
const PARTS: [&str; 3] = [
    "https://w3id.org/insites/ontology#hasResult",
    "http://purl.org/dc/terms/hasPart",
    // The passages of an interview.
    "http://www.w3.org/ns/prov#generated",
];

/// Graphs in which a newly published version takes the place of an older one.
const PUBLISHED_IN: [&str; 5] =
    ["records", "illustrative", "seed", "records-members", "records-curators"];

/// How far a draft has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReviewState {
    /// Its authors still work on it.
    #[default]
    Draft,
    /// A curator is asked to publish it or to give it back.
    InReview,
}

impl ReviewState {
    /// The local name of its IRI.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Draft => "Draft",
            Self::InReview => "InReview",
        }
    }
}

/// What somebody said of a draft when it was handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// When (RFC 3339).
    pub time: String,
    /// Who: the name of a token.
    pub author: String,
    /// What.
    pub text: String,
}

/// A draft as it is kept.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The kind in its address.
    pub kind: String,
    /// Its slug.
    pub slug: String,
    /// The identifier that it will have, and has already for those who see it.
    pub record: String,
    /// The organisation whose contributors work on it: its identifier.
    pub site: Option<String>,
    /// How far it has come.
    pub state: ReviewState,
    /// Everybody who wrote in it, sorted: none of them may publish it.
    pub authors: Vec<String>,
    /// The revision that last changed what it says; 0 if that is not known.
    pub revision: Revision,
    /// What was said of it, the oldest first.
    pub comments: Vec<Comment>,
    /// What it says.
    pub triples: Vec<Triple>,
}

/// What a form was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// Nothing: the draft is new, and so is its address.
    New,
    /// The draft as of this revision.
    Draft(Revision),
    /// The published record, of which this is the first draft.
    Published,
}

/// A draft that is to be written.
#[derive(Debug, Clone)]
pub struct Writing {
    /// The kind in its address.
    pub kind: String,
    /// Its slug: [`unused_slug`] for a new one.
    pub slug: String,
    /// The identifier of the organisation whose contributors work on it.
    pub site: String,
    /// What the form was read from.
    pub basis: Basis,
    /// What the draft shall say: all of it.
    pub triples: Vec<Triple>,
    /// Who sees it besides the contributors of its site.
    pub visible_to: Visibility,
}

/// Why a draft is not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is none, or none that the caller may see.
    #[error("there is no draft of {0}")]
    Missing(String),
    /// Somebody else saved it after the form was read.
    #[error(
        "the draft was changed at revision {now}, after revision {read} that the form was read at"
    )]
    Changed {
        /// The revision that the form was read at.
        read: Revision,
        /// The revision that last changed the draft.
        now: Revision,
    },
    /// The address is taken.
    #[error("there is a record {0} already")]
    Taken(String),
    /// It is with the curators.
    #[error("the draft is in review: a curator can give it back")]
    InReview,
    /// Whoever wrote in a draft does not publish it.
    #[error("somebody else must publish this: you wrote in it")]
    Own,
    /// The caller may write for another site only.
    #[error("drafts of this site are for its own contributors")]
    Site,
}

impl Refused {
    /// What a caller can do about it.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Missing(_) => Kind::NotFound,
            Self::Changed { .. } | Self::Taken(_) => Kind::PreconditionFailed,
            Self::InReview | Self::Own | Self::Site => Kind::Forbidden,
        }
    }
}

fn insites(name: &str) -> NamedNode {
    NamedNode::new_unchecked(format!("{INSITES}{name}"))
}

/// The graph of a draft.
fn graph_of(names: &Names, kind: &str, slug: &str) -> NamedNode {
    names.graph(&format!("draft/{kind}/{slug}"))
}

/// A title as a slug: small letters, digits and single hyphens.
#[must_use]
pub fn slug(title: &str) -> String {
    let mut slug = String::new();
    for letter in title.chars().flat_map(char::to_lowercase) {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter);
        } else if letter != '\'' && letter != '’' && !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() >= LONGEST_SLUG {
            if let Some((whole, _)) = slug.rsplit_once('-')
                && whole.len() > LONGEST_SLUG / 2
            {
                slug.truncate(whole.len());
            }
            break;
        }
    }
    let slug = slug.trim_matches('-').to_owned();
    if slug.is_empty() || RESERVED.contains(&slug.as_str()) {
        return if slug.is_empty() { "record".to_owned() } else { format!("{slug}-1") };
    }
    slug
}

/// A slug made from a title that no record of the kind has or ever had. `graph`
/// must be the whole state, since an address that one does not see is taken
/// all the same.
#[must_use]
pub fn unused_slug(graph: &Snapshot, names: &Names, kind: &str, title: &str) -> String {
    let plain = slug(title);
    let taken = |slug: &str| {
        // The dictionary never forgets a term.
        graph.iri_id(&names.record(kind, slug)).is_some()
            || graph.iri_id(graph_of(names, kind, slug).as_str()).is_some()
    };
    if !taken(&plain) {
        return plain;
    }
    (2..100_000_u32)
        .map(|number| format!("{plain}-{number}"))
        .find(|slug| !taken(slug))
        .unwrap_or(plain)
}

/// The organisation that a caller writes for: its identifier.
#[must_use]
pub fn site_of(names: &Names, caller: &Caller) -> Option<String> {
    caller.site.as_ref().map(|site| names.record("organisation", site))
}

/// Whether a caller may see and change drafts of this organisation.
#[must_use]
pub fn may_work_on(names: &Names, caller: &Caller, site: Option<&str>) -> bool {
    match caller.role {
        Role::Curator | Role::Administrator => true,
        Role::Contributor => site.is_some() && site_of(names, caller).as_deref() == site,
        Role::Member | Role::Public => false,
    }
}

/// What both catalogues say of a draft.
struct Entries<'a> {
    graph: &'a Snapshot,
    quads: Vec<QuadIds>,
}

impl<'a> Entries<'a> {
    fn of(graph: &'a Snapshot, names: &Names, subject: &NamedNode) -> Self {
        let catalogues =
            ["catalogue-drafts", "catalogue"].map(|name| graph.iri_id(names.graph(name).as_str()));
        let quads = match graph.iri_id(subject.as_str()) {
            Some(subject) => catalogues
                .into_iter()
                .flatten()
                .flat_map(|catalogue| {
                    let only = GraphPattern::Only(catalogue);
                    graph.quads().matching(Some(subject), None, None, only).collect::<Vec<_>>()
                })
                .collect(),
            None => Vec::new(),
        };
        Self { graph, quads }
    }

    fn quads(&self, property: &NamedNode) -> impl Iterator<Item = QuadIds> + '_ {
        let property = self.graph.iri_id(property.as_str());
        self.quads.iter().copied().filter(move |quad| Some(quad[1]) == property)
    }

    fn texts(&self, property: &NamedNode) -> Vec<String> {
        self.quads(property).filter_map(|quad| self.graph.text(quad[2])).collect()
    }

    fn text(&self, property: &NamedNode) -> Option<String> {
        self.texts(property).into_iter().next()
    }
}

/// The draft at an address. `graph` must be the whole state: that the caller
/// may see the draft is decided here. `None` if there is none, or none for
/// them.
#[must_use]
pub fn read(
    graph: &Snapshot,
    names: &Names,
    caller: &Caller,
    kind: &str,
    slug: &str,
) -> Option<Draft> {
    let draft = whole(graph, names, kind, slug)?;
    may_work_on(names, caller, draft.site.as_deref()).then_some(draft)
}

fn whole(graph: &Snapshot, names: &Names, kind: &str, slug: &str) -> Option<Draft> {
    let name = graph_of(names, kind, slug);
    let id = graph.iri_id(name.as_str())?;
    let triples: Vec<Triple> = graph
        .quads()
        .matching(None, None, None, GraphPattern::Only(id))
        .filter_map(|quad| graph.quad(quad).map(Triple::from))
        .collect();
    if triples.is_empty() {
        return None;
    }
    let entries = Entries::of(graph, names, &name);
    let in_review = entries.text(&insites("reviewState")) == Some(format!("{INSITES}InReview"));
    let mut comments: Vec<Comment> = entries
        .texts(&insites("comment"))
        .into_iter()
        .filter_map(|node| {
            let said = Entries::of(graph, names, &NamedNode::new(node).ok()?);
            Some(Comment {
                time: said.text(&NamedNode::new_unchecked(format!("{DCTERMS}created")))?,
                author: said.text(&insites("draftAuthor")).unwrap_or_default(),
                text: said.text(&insites("reviewComment"))?,
            })
        })
        .collect();
    comments.sort_by(|a, b| a.time.cmp(&b.time));
    let mut authors = entries.texts(&insites("draftAuthor"));
    authors.sort();
    let revision = entries.text(&insites("savedAt")).and_then(|text| text.parse().ok());
    Some(Draft {
        kind: kind.to_owned(),
        slug: slug.to_owned(),
        record: names.record(kind, slug),
        site: entries.text(&insites("draftOf")),
        state: if in_review { ReviewState::InReview } else { ReviewState::Draft },
        authors,
        revision: revision.unwrap_or_default(),
        comments,
        triples,
    })
}

/// All drafts that a caller may see, by address. `graph` must be the whole
/// state.
#[must_use]
pub fn drafts(graph: &Snapshot, names: &Names, caller: &Caller) -> Vec<Draft> {
    let prefix = names.graph("draft/").into_string();
    let mut addresses: Vec<(String, String)> = graph
        .named_graph_iris()
        .into_iter()
        .filter_map(|name| {
            let (kind, slug) = name.as_str().strip_prefix(&prefix)?.split_once('/')?;
            Some((kind.to_owned(), slug.to_owned()))
        })
        .collect();
    addresses.sort();
    addresses.iter().filter_map(|(kind, slug)| read(graph, names, caller, kind, slug)).collect()
}

/// What a record and its parts say outside drafts, as somebody sees it to whom
/// `graph` belongs. Empty if there is no such record.
#[must_use]
pub fn published(graph: &Snapshot, names: &Names, record: &str) -> Vec<Triple> {
    published_ids(graph, names, record)
        .into_iter()
        .filter_map(|quad| graph.quad(quad).map(Triple::from))
        .collect()
}

/// The quads of a record and its parts in graphs that are no drafts.
fn published_ids(graph: &Snapshot, names: &Names, record: &str) -> Vec<QuadIds> {
    let Some(id) = graph.iri_id(record) else { return Vec::new() };
    let drafts = names.graph("draft/").into_string();
    let kept: Vec<TermId> =
        names.lifecycle().iter().filter_map(|name| graph.iri_id(name.as_str())).collect();
    let outside = |subject: TermId| -> Vec<QuadIds> {
        graph
            .quads()
            .matching(Some(subject), None, None, GraphPattern::Any)
            .filter(|quad| {
                !kept.contains(&quad[3])
                    && graph.text(quad[3]).is_none_or(|name| !name.starts_with(&drafts))
            })
            .collect()
    };
    let mut quads = outside(id);
    let links: Vec<TermId> = PARTS.iter().filter_map(|name| graph.iri_id(name)).collect();
    let parts: Vec<TermId> =
        quads.iter().filter(|quad| links.contains(&quad[1])).map(|quad| quad[2]).collect();
    for part in parts {
        quads.extend(outside(part));
    }
    quads
}

/// Writes a draft: what it said before is replaced as a whole. The writer
/// becomes one of its authors.
///
/// Refused if the caller may not write for the site, if the draft is in review
/// and the caller is no curator, if the address of a new draft is taken, or if
/// somebody saved it after the form was read; nothing is lost then, since
/// nothing is written.
pub fn write(
    edit: &mut Edit,
    names: &Names,
    caller: &Caller,
    writing: &Writing,
) -> Result<(), Refused> {
    let Writing { kind, slug, site, basis, triples, visible_to } = writing;
    let graph = edit.state();
    let address = || format!("{kind}/{slug}");
    let record = names.record(kind, slug);
    let found = whole(&graph, names, kind, slug);
    let may = |site: Option<&str>| may_work_on(names, caller, site);
    match (&found, basis) {
        (Some(draft), Basis::Draft(read)) => {
            if !may(draft.site.as_deref()) {
                return Err(Refused::Missing(address()));
            }
            if draft.state == ReviewState::InReview && caller.role < Role::Curator {
                return Err(Refused::InReview);
            }
            if draft.revision > *read {
                return Err(Refused::Changed { read: *read, now: draft.revision });
            }
        }
        (Some(draft), _) => {
            return Err(if may(draft.site.as_deref()) {
                Refused::Taken(address())
            } else {
                Refused::Missing(address())
            });
        }
        (None, Basis::New) => {
            if graph.iri_id(&record).is_some() {
                return Err(Refused::Taken(address()));
            }
        }
        (None, Basis::Published) => {
            let site = graph.iri_id(site);
            let own = published_ids(&graph, names, &record)
                .iter()
                .any(|quad| Some(quad[2]) == site && graph.text(quad[0]).as_ref() == Some(&record));
            if !own && caller.role < Role::Curator {
                return Err(Refused::Missing(address()));
            }
        }
        (None, Basis::Draft(_)) => return Err(Refused::Missing(address())),
    }
    // The site of a draft stays; otherwise a contributor could give it away.
    let site = found.as_ref().and_then(|draft| draft.site.clone()).unwrap_or_else(|| site.clone());
    if !may(Some(&site)) {
        return Err(Refused::Site);
    }
    let name = graph_of(names, kind, slug);
    if let Some(id) = graph.iri_id(name.as_str()) {
        edit.clear(id);
    }
    for triple in triples {
        edit.add(&triple.clone().in_graph(name.clone()));
    }
    let entries = Entries::of(&graph, names, &name);
    for property in ["savedAt", "visibleTo"] {
        for quad in entries.quads(&insites(property)) {
            edit.remove_ids(quad);
        }
    }
    let is_new = entries.text(&insites("reviewState")).is_none();
    enter(edit, names, &name, &caller.name, Some(&site), *visible_to);
    if is_new {
        set_state(edit, names, (kind, slug), ReviewState::Draft);
    }
    Ok(())
}

/// Writes a new draft that is in review at once, for somebody who need not be
/// one to see drafts, such as a reader who says what a lesson was good for.
/// Curators see it, and the contributors of the site, if it has one.
///
/// Refused if the address is taken.
pub fn hand_in(
    edit: &mut Edit,
    names: &Names,
    author: &str,
    (kind, slug): (&str, &str),
    site: Option<&str>,
    triples: &[Triple],
) -> Result<(), Refused> {
    let graph = edit.state();
    if graph.iri_id(&names.record(kind, slug)).is_some() {
        return Err(Refused::Taken(format!("{kind}/{slug}")));
    }
    let name = graph_of(names, kind, slug);
    for triple in triples {
        edit.add(&triple.clone().in_graph(name.clone()));
    }
    enter(edit, names, &name, author, site, Visibility::Curators);
    set_state(edit, names, (kind, slug), ReviewState::InReview);
    Ok(())
}

/// Enters a draft that was written into the catalogue of drafts.
fn enter(
    edit: &mut Edit,
    names: &Names,
    name: &NamedNode,
    author: &str,
    site: Option<&str>,
    visible_to: Visibility,
) {
    let catalogue = names.graph("catalogue-drafts");
    let revision = graph_revision(edit);
    let saved = Literal::new_typed_literal(revision.to_string(), xsd::INTEGER);
    let mut say = |property: &str, value: Term| {
        edit.add(&Quad::new(name.clone(), insites(property), value, catalogue.clone()));
    };
    say("visibleTo", insites(visible_to.name()).into());
    if let Some(site) = site {
        say("draftOf", NamedNode::new_unchecked(site).into());
    }
    say("draftAuthor", Literal::from(author).into());
    say("savedAt", saved.into());
    // The catalogue of drafts tells of itself that it is hidden.
    let who = insites(Visibility::Curators.name());
    edit.add(&Quad::new(catalogue.clone(), insites("visibleTo"), who, catalogue));
}

/// The revision that the edit will become.
fn graph_revision(edit: &Edit) -> Revision {
    edit.revision() + 1
}

/// Throws a draft away. Its address is not used again.
///
/// Refused if there is none for the caller, or if it is in review and the
/// caller is no curator.
pub fn discard(
    edit: &mut Edit,
    names: &Names,
    caller: &Caller,
    kind: &str,
    slug: &str,
) -> Result<(), Refused> {
    let graph = edit.state();
    let missing = || Refused::Missing(format!("{kind}/{slug}"));
    let draft = read(&graph, names, caller, kind, slug).ok_or_else(missing)?;
    if draft.state == ReviewState::InReview && caller.role < Role::Curator {
        return Err(Refused::InReview);
    }
    let name = graph_of(names, kind, slug);
    if let Some(id) = graph.iri_id(name.as_str()) {
        edit.clear(id);
    }
    forget(edit, &graph, names, &name);
    Ok(())
}

/// Makes a draft's facts those of the record, in one change: what the record
/// and its parts said before goes. They go where their audience
/// (`insites:audience`) sees them: `graph/records`, `graph/illustrative` for
/// illustrative records, or `graph/records-members` and
/// `graph/records-curators`.
///
/// Refused if there is no such draft for the caller, or if the caller wrote in
/// it: a second person publishes.
pub fn publish(
    edit: &mut Edit,
    names: &Names,
    caller: &Caller,
    (kind, slug): (&str, &str),
) -> Result<(), Refused> {
    let graph = edit.state();
    let missing = || Refused::Missing(format!("{kind}/{slug}"));
    let draft = read(&graph, names, caller, kind, slug).ok_or_else(missing)?;
    if draft.authors.contains(&caller.name) {
        return Err(Refused::Own);
    }
    let target = target(edit, names, &draft);
    for quad in published_quads(&graph, names, &draft.record) {
        edit.remove_ids(quad);
    }
    let name = graph_of(names, kind, slug);
    if let Some(id) = graph.iri_id(name.as_str()) {
        edit.clear(id);
    }
    for triple in &draft.triples {
        edit.add(&triple.clone().in_graph(target.clone()));
    }
    forget(edit, &graph, names, &name);
    Ok(())
}

/// The quads of a record and its parts that a new version takes the place of.
pub(super) fn published_quads(graph: &Snapshot, names: &Names, record: &str) -> Vec<QuadIds> {
    let places: Vec<TermId> =
        PUBLISHED_IN.iter().filter_map(|name| graph.iri_id(names.graph(name).as_str())).collect();
    let mut quads = published_ids(graph, names, record);
    quads.retain(|quad| places.contains(&quad[3]));
    quads
}

/// The graph that a draft is published in; who may see it is stated if need be.
fn target(edit: &mut Edit, names: &Names, draft: &Draft) -> NamedNode {
    let says = |property: &str, value: &str| {
        let (property, value) = (insites(property), Term::from(insites(value)));
        let subject = NamedNode::new_unchecked(&draft.record).into();
        draft.triples.contains(&Triple { subject, predicate: property, object: value })
    };
    let narrower = [Visibility::Curators, Visibility::Members]
        .into_iter()
        .find(|visibility| says("audience", visibility.name()));
    let Some(audience) = narrower else {
        let illustrative = says("status", "Illustrative");
        return names.graph(if illustrative { "illustrative" } else { "records" });
    };
    let graph = names.graph(&format!("records-{}", audience.name().to_lowercase()));
    let who = insites(audience.name());
    edit.add(&Quad::new(graph.clone(), insites("visibleTo"), who, names.graph("catalogue")));
    graph
}

/// Takes what is known of a draft out of the catalogues, but for who may see
/// it: its history stays theirs.
pub fn forget(edit: &mut Edit, graph: &Snapshot, names: &Names, name: &NamedNode) {
    let entries = Entries::of(graph, names, name);
    for node in entries.texts(&insites("comment")) {
        let said = Entries::of(graph, names, &NamedNode::new_unchecked(node));
        said.quads.iter().for_each(|quad| edit.remove_ids(*quad));
    }
    let visible_to = graph.iri_id(insites("visibleTo").as_str());
    for quad in entries.quads {
        if Some(quad[1]) != visible_to {
            edit.remove_ids(quad);
        }
    }
}

/// Adds what somebody says of a draft; nothing if the text is empty.
pub fn comment(
    edit: &mut Edit,
    names: &Names,
    caller: &Caller,
    (kind, slug): (&str, &str),
    text: &str,
) {
    let text = text.trim();
    if text.is_empty() {
        return;
    }
    let name = graph_of(names, kind, slug);
    let node =
        NamedNode::new_unchecked(format!("{}#comment-{}", name.as_str(), graph_revision(edit)));
    let catalogue = names.graph("catalogue-drafts");
    let mut say = |subject: &NamedNode, property: NamedNode, value: Term| {
        edit.add(&Quad::new(subject.clone(), property, value, catalogue.clone()));
    };
    say(&name, insites("comment"), node.clone().into());
    say(&node, insites("reviewComment"), Literal::from(text).into());
    say(&node, insites("draftAuthor"), Literal::from(caller.name.as_str()).into());
    let created = NamedNode::new_unchecked(format!("{DCTERMS}created"));
    say(&node, created, Literal::new_typed_literal(now(), xsd::DATE_TIME).into());
}

/// Moves a draft to a state of review, whoever asks.
pub fn set_state(edit: &mut Edit, names: &Names, (kind, slug): (&str, &str), state: ReviewState) {
    let graph = edit.state();
    let name = graph_of(names, kind, slug);
    for quad in Entries::of(&graph, names, &name).quads(&insites("reviewState")) {
        edit.remove_ids(quad);
    }
    let catalogue = names.graph("catalogue-drafts");
    edit.add(&Quad::new(name, insites("reviewState"), insites(state.name()), catalogue));
}
