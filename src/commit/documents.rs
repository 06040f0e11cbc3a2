//! Makes the search document of a record from its quads. A pure function of
//! one snapshot and one subject, so that the check can make it again.

use crate::graph::{GraphPattern, Snapshot};
use crate::index::{Document, Facet, KINDS, shown_to};
use crate::rdf::Names;
use crate::rdf::TermId;
use crate::rdf::Visibility;
use crate::rdf::vocabulary::{DCTERMS, INSITES, SKOS, TITLES, TYPE};
use oxigraph::model::Term;
use rustc_hash::FxHashMap;

/// Classes whose instances are found by search, with their kind.
const CLASSES: [(&str, &str); 15] = [
    ("Lesson", "lesson"),
    ("CaseStudy", "case-study"),
    ("Organisation", "organisation"),
    ("Site", "site"),
    ("Partner", "partner"),
    ("Programme", "programme"),
    ("Theme", "theme"),
    ("Dimension", "dimension"),
    ("Document", "document"),
    ("Report", "report"),
    ("Evidence", "evidence"),
    ("Interview", "interview"),
    ("Workshop", "workshop"),
    ("ToolAnswer", "tool-answer"),
    ("Questionnaire", "questionnaire"),
];

/// Makes documents from one snapshot, for each who may see it.
pub struct Documents<'a> {
    /// From those who see least. Who sees the same as the one before is left out.
    readers: Vec<(u64, Reader<'a>)>,
}

impl<'a> Documents<'a> {
    /// Own properties whose objects' names stand in a document's text.
    pub(super) const NAMED_BY: [&'static str; 6] =
        ["atSite", "atOrganisation", "aboutOrganisation", "withPartner", "owner", "outcomeStatus"];

    /// Prepares to read records of a snapshot.
    #[must_use]
    pub fn new(snapshot: &Snapshot, names: &'a Names) -> Self {
        let mut readers: Vec<(u64, Reader<'a>)> = Vec::new();
        let mut last = None;
        for visibility in Visibility::ALL {
            let hidden = hidden_from(snapshot, names, visibility);
            if last.as_ref() == Some(&hidden) {
                if let Some((shown, _)) = readers.last_mut() {
                    *shown |= shown_to(visibility);
                }
            } else {
                let seen = snapshot.without_graphs(hidden.clone());
                readers.push((shown_to(visibility), Reader::new(seen, names)));
            }
            last = Some(hidden);
        }
        Self { readers }
    }

    /// The subjects that may have a document: all instances of the classes.
    #[must_use]
    pub fn subjects(&self) -> Vec<TermId> {
        // Who sees most sees every instance.
        self.readers.last().map_or_else(Vec::new, |(_, reader)| reader.subjects())
    }

    /// The documents of a record, one for each who sees it differently; none
    /// if search does not cover it.
    #[must_use]
    pub fn documents(&self, subject: TermId) -> Vec<Document> {
        let mut documents: Vec<Document> = Vec::new();
        for (shown, reader) in &self.readers {
            let Some(document) = reader.document(subject) else { continue };
            match documents.last_mut() {
                Some(last) if (Document { shown_to: 0, ..last.clone() }) == document => {
                    last.shown_to |= shown;
                }
                _ => documents.push(Document { shown_to: *shown, ..document }),
            }
        }
        documents
    }
}

/// The graphs that those who see this much do not see: what the catalogue
/// says, and no other graph.
#[must_use]
pub fn hidden_from(snapshot: &Snapshot, names: &Names, visibility: Visibility) -> Vec<TermId> {
    // Who may see drafts is told in a catalogue that is itself hidden.
    let catalogue = names.graph("catalogue");
    let (Some(catalogue), Some(visible_to)) =
        (snapshot.iri_id(catalogue.as_str()), snapshot.iri_id(&format!("{INSITES}visibleTo")))
    else {
        return Vec::new();
    };
    let drafts = snapshot.iri_id(names.graph("catalogue-drafts").as_str());
    let mut hidden: Vec<TermId> = Visibility::ALL
        .into_iter()
        .filter(|needed| *needed > visibility)
        .filter_map(|needed| snapshot.iri_id(&format!("{INSITES}{}", needed.name())))
        .flat_map(|needed| {
            let catalogues = drafts.into_iter().chain([catalogue]);
            catalogues.flat_map(move |catalogue| {
                let graph = GraphPattern::Only(catalogue);
                snapshot.quads().matching(None, Some(visible_to), Some(needed), graph)
            })
        })
        .map(|quad| quad[0])
        .collect();
    // Addresses of drafts tell their titles.
    if visibility < Visibility::Curators {
        hidden.extend(snapshot.iri_id(names.graph("catalogue-drafts").as_str()));
    }
    hidden.sort_unstable();
    hidden.dedup();
    hidden
}

/// Numbers of the vocabulary in one snapshot, looked up once for many records.
struct Reader<'a> {
    snapshot: Snapshot,
    names: &'a Names,
    type_: Option<TermId>,
    classes: FxHashMap<TermId, u64>,
    concept: Option<TermId>,
    titles: Vec<TermId>,
    description: Option<TermId>,
    dates: Vec<TermId>,
    facets: FxHashMap<TermId, Facet>,
    themes: Option<TermId>,
    broader: Option<TermId>,
}

impl<'a> Reader<'a> {
    fn new(snapshot: Snapshot, names: &'a Names) -> Self {
        let id = |namespace: &str, name: &str| snapshot.iri_id(&format!("{namespace}{name}"));
        let classes = CLASSES
            .iter()
            .filter_map(|(class, kind)| Some((id(INSITES, class)?, kind_number(kind)?)))
            .collect();
        let facets = [
            (id(INSITES, "dimension"), Facet::Dimension),
            (id(INSITES, "atSite"), Facet::Organisation),
            (id(INSITES, "atOrganisation"), Facet::Organisation),
            (id(INSITES, "aboutOrganisation"), Facet::Organisation),
            (id(INSITES, "withPartner"), Facet::Organisation),
            (id(INSITES, "owner"), Facet::Organisation),
            (id(INSITES, "region"), Facet::Region),
            (id(INSITES, "inProgramme"), Facet::Programme),
            (id(INSITES, "status"), Facet::Status),
            (id(INSITES, "outcomeStatus"), Facet::Outcome),
        ];
        let type_ = snapshot.iri_id(TYPE);
        Self {
            names,
            type_,
            classes,
            concept: id(SKOS, "Concept"),
            titles: TITLES
                .into_iter()
                .filter_map(|(namespace, name)| id(namespace, name))
                .collect(),
            description: id(DCTERMS, "description"),
            dates: [id(DCTERMS, "issued"), id(DCTERMS, "modified"), id(DCTERMS, "date")]
                .into_iter()
                .flatten()
                .collect(),
            facets: facets.into_iter().filter_map(|(id, facet)| Some((id?, facet))).collect(),
            themes: id(DCTERMS, "subject"),
            broader: id(SKOS, "broader"),
            snapshot,
        }
    }

    fn subjects(&self) -> Vec<TermId> {
        let Some(type_) = self.type_ else { return Vec::new() };
        let mut subjects: Vec<TermId> = self
            .classes
            .keys()
            .copied()
            .chain(self.concept)
            .flat_map(|class| {
                self.snapshot
                    .quads()
                    .matching(None, Some(type_), Some(class), GraphPattern::Any)
                    .map(|quad| quad[0])
            })
            .collect();
        subjects.sort_unstable();
        subjects.dedup();
        subjects
    }

    fn document(&self, subject: TermId) -> Option<Document> {
        let quads: Vec<_> = self
            .snapshot
            .quads()
            .matching(Some(subject), None, None, GraphPattern::Any)
            .map(|[_, p, o, _]| (p, o))
            .collect();
        let iri = match self.snapshot.term(subject)? {
            Term::NamedNode(iri) => iri.into_string(),
            _ => return None,
        };
        let mut facets: Vec<(Facet, u64)> = Vec::new();
        for (p, o) in &quads {
            if Some(*p) == self.type_
                && let Some(kind) = self.classes.get(o)
            {
                facets.push((Facet::Kind, *kind));
            }
        }
        let of_kind = |name: &str| kind_number(name).map(|kind| (Facet::Kind, kind));
        if let Some(organisation) = of_kind("organisation")
            && facets.iter().any(|f| Some(*f) == of_kind("site") || Some(*f) == of_kind("partner"))
        {
            facets.push(organisation);
        }
        if facets.is_empty() {
            // Themes and dimensions of foreign data are plain SKOS concepts.
            let (kind, _) = self.names.kind_and_slug(&iri)?;
            if !matches!(kind, "theme" | "dimension")
                || !quads.iter().any(|(p, o)| Some(*p) == self.type_ && Some(*o) == self.concept)
            {
                return None;
            }
            facets.extend(of_kind(kind));
        }
        let mut titles: Vec<(usize, bool, String)> = Vec::new();
        let mut texts: Vec<(bool, TermId, String)> = Vec::new();
        let mut date = 0;
        for (p, o) in quads {
            if let Some(facet) = self.facets.get(&p) {
                facets.push((*facet, u64::from(o)));
                if matches!(facet, Facet::Outcome | Facet::Organisation) {
                    // What a record is about is said by its name.
                    texts.extend(self.title(o).map(|name| (true, p, name)));
                }
                continue;
            }
            if Some(p) == self.themes {
                facets.extend(self.with_broader(o).into_iter().map(|o| (Facet::Theme, o.into())));
                continue;
            }
            let Some(Term::Literal(literal)) = self.snapshot.term(o) else { continue };
            if let Some(rank) = self.dates.iter().position(|d| *d == p) {
                // The best date wins; within one property the latest.
                date = date.max(day_number(literal.value(), rank));
                continue;
            }
            let is_text = literal.language().is_some()
                || literal.datatype() == oxigraph::model::vocab::xsd::STRING;
            if !is_text {
                continue;
            }
            if let Some(rank) = self.titles.iter().position(|t| *t == p) {
                let foreign = !literal.language().is_none_or(|l| l.starts_with("en"));
                titles.push((rank, foreign, literal.value().to_owned()));
            } else {
                texts.push((Some(p) != self.description, p, literal.value().to_owned()));
            }
        }
        titles.sort_unstable();
        texts.sort_unstable();
        let mut body = String::new();
        for (_, _, title) in &titles {
            push_line(&mut body, title);
        }
        let titles_end = body.len();
        let mut descriptions_end = titles_end;
        for (rest, _, text) in &texts {
            push_line(&mut body, text);
            if !rest {
                descriptions_end = body.len();
            }
        }
        facets.sort_unstable();
        facets.dedup();
        Some(Document {
            subject,
            title: titles.into_iter().next().map(|t| t.2).unwrap_or_default(),
            body,
            titles_end,
            descriptions_end,
            facets,
            date: date % 100_000_000,
            shown_to: 0,
        })
    }

    /// What a record is called.
    fn title(&self, subject: TermId) -> Option<String> {
        self.titles.iter().find_map(|property| {
            let quads = self.snapshot.quads().matching(
                Some(subject),
                Some(*property),
                None,
                GraphPattern::Any,
            );
            quads.filter_map(|quad| self.snapshot.text(quad[2])).min()
        })
    }

    /// A theme and all above it.
    fn with_broader(&self, theme: TermId) -> Vec<TermId> {
        let mut all = vec![theme];
        let mut at = 0;
        while let Some(theme) = all.get(at).copied() {
            at += 1;
            let above = self.broader.into_iter().flat_map(|broader| {
                self.snapshot.quads().matching(Some(theme), Some(broader), None, GraphPattern::Any)
            });
            for quad in above {
                if !all.contains(&quad[2]) {
                    all.push(quad[2]);
                }
            }
        }
        all
    }
}

/// Adds a value as a line of its own.
fn push_line(body: &mut String, text: &str) {
    if !body.is_empty() {
        body.push('\n');
    }
    // A value of several lines stays one.
    body.extend(text.chars().map(|c| if c == '\n' || c == '\r' { ' ' } else { c }));
}

/// The number of a kind in [`KINDS`].
fn kind_number(kind: &str) -> Option<u64> {
    KINDS.iter().position(|k| *k == kind).map(|n| n as u64)
}

/// `2024-03-22`, `2024-03` or `2024` as `yyyymmdd`, with the rank of its
/// property in front so that a better property wins. 0 if it is none of them.
fn day_number(value: &str, rank: usize) -> u64 {
    let mut parts = value.get(..10).unwrap_or(value).splitn(3, '-');
    let mut part = |least: u64, most: u64| match parts.next() {
        None => Some(0),
        Some(text) => text.parse().ok().filter(|n| (least..=most).contains(n)),
    };
    let (Some(year), Some(month), Some(day)) = (part(1, 9999), part(1, 12), part(1, 31)) else {
        return 0;
    };
    if year == 0 {
        return 0;
    }
    (9 - rank as u64) * 100_000_000 + year * 10_000 + month * 100 + day
}
