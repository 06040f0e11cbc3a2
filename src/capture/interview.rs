//! An interview with its passages and their codes, read from triples and
//! written as triples. Not for texts from files and not for personal data: what
//! comes in here has been looked at.

use crate::capture::passages;
use crate::rdf::vocabulary::{DCTERMS, INSITES, SKOS, TYPE};
use crate::rdf::{Literal, NamedNode, Names, Term, Triple, Visibility};
use oxigraph::model::NamedOrBlankNode;
use oxigraph::model::vocab::xsd;
use std::collections::BTreeMap;

const PROV: &str = "http://www.w3.org/ns/prov#";
const CITO: &str = "http://purl.org/spar/cito/";
const SCHEMA: &str = "https://schema.org/";

/// Characters of a passage that stand in its title.
const TITLE: usize = 70;

/// What a coder says of a passage: identifiers, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Codes {
    /// Themes of the code book.
    pub themes: Vec<String>,
    /// Sides of innovation work.
    pub dimensions: Vec<String>,
    /// Lessons that it supports.
    pub supports: Vec<String>,
    /// Lessons that it contradicts.
    pub disputes: Vec<String>,
}

impl Codes {
    /// Whether nothing is said yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { themes, dimensions, supports, disputes } = self;
        [themes, dimensions, supports, disputes].iter().all(|codes| codes.is_empty())
    }

    /// The same, each list sorted and without repetition.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        let lists =
            [&mut self.themes, &mut self.dimensions, &mut self.supports, &mut self.disputes];
        for list in lists {
            list.sort();
            list.dedup();
        }
        self
    }

    /// The lists with the properties that lead to them.
    fn by_property(&self) -> [(String, &Vec<String>); 4] {
        [
            (format!("{DCTERMS}subject"), &self.themes),
            (format!("{INSITES}dimension"), &self.dimensions),
            (format!("{CITO}supports"), &self.supports),
            (format!("{CITO}disputes"), &self.disputes),
        ]
    }

    fn list(&mut self, property: &str) -> Option<&mut Vec<String>> {
        if property == format!("{DCTERMS}subject") {
            Some(&mut self.themes)
        } else if property == format!("{INSITES}dimension") {
            Some(&mut self.dimensions)
        } else if property == format!("{CITO}supports") {
            Some(&mut self.supports)
        } else if property == format!("{CITO}disputes") {
            Some(&mut self.disputes)
        } else {
            None
        }
    }
}

/// A passage of an interview.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Passage {
    /// Its number, which its address ends with.
    pub number: u32,
    /// Its words.
    pub text: String,
    /// What a coder says of it.
    pub codes: Codes,
}

/// What the interviewed person agreed to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Consent {
    /// To what, in a few words.
    pub scope: String,
    /// When (`2026-02-03`).
    pub date: String,
}

/// An interview.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Interview {
    /// Roles of those who spoke: identifiers.
    pub roles: Vec<String>,
    /// The site: its identifier.
    pub site: String,
    /// When (`2026-02-03`, or a month or a year).
    pub date: String,
    /// What was agreed to; `None` if that is not recorded.
    pub consent: Option<Consent>,
    /// Who may see it once it is published.
    pub audience: Visibility,
    /// What was said, in order.
    pub passages: Vec<Passage>,
    /// The highest number that a passage ever had.
    pub highest: u32,
    /// Words that look like personal data, each with why they are none.
    pub kept: Vec<(String, String)>,
    /// What was said, where it was never split into passages.
    pub unsplit: String,
    /// What else is said of it and its passages, kept as it is.
    extra: Vec<Triple>,
}

/// What only the rest of the graph knows of an interview.
#[derive(Debug, Clone, Default)]
pub struct Around {
    /// What the interview is called.
    pub title: String,
    /// What its first role is called.
    pub role: String,
    /// Whether its site is made up.
    pub illustrative: bool,
}

fn node(namespace: &str, name: &str) -> NamedNode {
    NamedNode::new_unchecked(format!("{namespace}{name}"))
}

fn english(text: &str) -> Term {
    Literal::new_language_tagged_literal_unchecked(text, "en").into()
}

/// A year, a month or a day, typed as what it is.
fn date(text: &str) -> Term {
    let datatype = match text.len() {
        4 => xsd::G_YEAR,
        7 => xsd::G_YEAR_MONTH,
        _ => xsd::DATE,
    };
    Literal::new_typed_literal(text, datatype).into()
}

/// The slug of a passage.
#[must_use]
pub fn passage_slug(interview: &str, number: u32) -> String {
    format!("{interview}-p{number:02}")
}

/// The number of a passage, by the identifiers of both.
#[must_use]
pub fn passage_number(names: &Names, interview: &str, passage: &str) -> Option<u32> {
    let (kind, slug) = names.kind_and_slug(passage)?;
    let number = slug.strip_prefix(interview)?.strip_prefix("-p")?;
    (kind == "evidence").then(|| number.parse().ok())?
}

fn value(term: &Term) -> String {
    match term {
        Term::NamedNode(node) => node.as_str().to_owned(),
        Term::Literal(literal) => literal.value().to_owned(),
        other => other.to_string(),
    }
}

impl Interview {
    /// The interview with this slug, as triples say.
    #[must_use]
    pub fn read(names: &Names, slug: &str, triples: &[Triple]) -> Self {
        let mut interview = Self::default();
        let own = names.record("interview", slug);
        let mut passages: BTreeMap<u32, (i64, Passage)> = BTreeMap::new();
        for triple in triples {
            let NamedOrBlankNode::NamedNode(subject) = &triple.subject else {
                interview.extra.push(triple.clone());
                continue;
            };
            let said = value(&triple.object);
            let known = if subject.as_str() == own {
                interview.take(triple.predicate.as_str(), said)
            } else if let Some(number) = passage_number(names, slug, subject.as_str()) {
                let (position, passage) = passages.entry(number).or_default();
                passage.number = number;
                take_of_passage(passage, position, triple.predicate.as_str(), said)
            } else {
                false
            };
            if !known {
                interview.extra.push(triple.clone());
            }
        }
        let mut ordered: Vec<(i64, Passage)> = passages.into_values().collect();
        ordered.sort_by_key(|(position, passage)| (*position, passage.number));
        interview.passages = ordered
            .into_iter()
            .map(|(_, passage)| Passage { codes: passage.codes.sorted(), ..passage })
            .collect();
        let most = interview.passages.iter().map(|passage| passage.number).max().unwrap_or(0);
        interview.highest = interview.highest.max(most);
        interview.roles.sort();
        interview.kept.sort();
        interview
    }

    /// Takes what one triple says of the interview; false if it is kept as it is.
    fn take(&mut self, property: &str, said: String) -> bool {
        let consent = |interview: &mut Self| interview.consent.take().unwrap_or_default();
        if let Some(name) = property.strip_prefix(INSITES) {
            match name {
                "atSite" if self.site.is_empty() => self.site = said,
                "withRole" => self.roles.push(said),
                "consentGiven" => self.consent = (said == "true").then(|| consent(self)),
                "consentFor" => self.consent = Some(Consent { scope: said, ..consent(self) }),
                "consentDate" => self.consent = Some(Consent { date: said, ..consent(self) }),
                "audience" => self.audience = audience(&said),
                "passagesMade" => self.highest = said.parse().unwrap_or(0),
                "notPersonalData" => match said.strip_prefix('“').and_then(|t| t.split_once("”: "))
                {
                    Some((words, why)) => self.kept.push((words.to_owned(), why.to_owned())),
                    None => return false,
                },
                "answerText" => self.unsplit = said,
                "status" => {}
                _ => return false,
            }
            return true;
        }
        if property == format!("{DCTERMS}date") {
            self.date = said;
            return true;
        }
        property == TYPE
            || property == format!("{DCTERMS}title")
            || property == format!("{PROV}generated")
    }

    /// What was said, for people to edit: passages stand apart by an empty line.
    #[must_use]
    pub fn text(&self) -> String {
        if self.passages.is_empty() {
            return self.unsplit.clone();
        }
        self.passages.iter().map(|passage| passage.text.as_str()).collect::<Vec<_>>().join("\n\n")
    }

    /// Puts another text in the place of what was said. Passages with the same
    /// words keep their number and codes; one with other words gets a new number
    /// and takes over the codes of the one it revises. Gives the numbers of
    /// those that took codes over: a coder should look at them.
    pub fn rewrite(&mut self, text: &str) -> Vec<u32> {
        let old: Vec<(u32, String)> =
            self.passages.iter().map(|passage| (passage.number, passage.text.clone())).collect();
        let codes: BTreeMap<u32, Codes> =
            self.passages.drain(..).map(|passage| (passage.number, passage.codes)).collect();
        let numbered = passages::number(&old, self.highest, passages::split(text));
        let mut carried = Vec::new();
        for passage in numbered {
            let from = passage.revises.unwrap_or(passage.number);
            let codes = codes.get(&from).cloned().unwrap_or_default();
            if passage.revises.is_some() && !codes.is_empty() {
                carried.push(passage.number);
            }
            self.highest = self.highest.max(passage.number);
            self.passages.push(Passage { number: passage.number, text: passage.text, codes });
        }
        self.unsplit.clear();
        carried
    }

    /// All that is said of the interview with this slug and its passages.
    #[must_use]
    pub fn triples(&self, names: &Names, slug: &str, around: &Around) -> Vec<Triple> {
        let own = NamedNode::new_unchecked(names.record("interview", slug));
        let status = if around.illustrative { "Illustrative" } else { "Unverified" };
        let mut triples = Vec::new();
        let mut say = |property: NamedNode, object: Term| {
            triples.push(Triple::new(own.clone(), property, object));
        };
        let identifier = |iri: &str| Term::from(NamedNode::new_unchecked(iri));
        say(node("", TYPE), node(INSITES, "Interview").into());
        say(node(DCTERMS, "title"), english(&around.title));
        say(node(INSITES, "status"), node(INSITES, status).into());
        say(node(INSITES, "atSite"), identifier(&self.site));
        self.roles.iter().for_each(|role| say(node(INSITES, "withRole"), identifier(role)));
        if !self.date.is_empty() {
            say(node(DCTERMS, "date"), date(&self.date));
        }
        if let Some(Consent { scope, date: when }) = &self.consent {
            say(node(INSITES, "consentGiven"), Literal::from(true).into());
            if !scope.is_empty() {
                say(node(INSITES, "consentFor"), english(scope));
            }
            if !when.is_empty() {
                say(node(INSITES, "consentDate"), date(when));
            }
        }
        say(node(INSITES, "audience"), node(INSITES, self.audience.name()).into());
        for (words, why) in &self.kept {
            say(node(INSITES, "notPersonalData"), english(&format!("“{words}”: {why}")));
        }
        if self.passages.is_empty() && !self.unsplit.is_empty() {
            say(node(INSITES, "answerText"), english(&self.unsplit));
        }
        say(node(INSITES, "passagesMade"), Literal::from(i64::from(self.highest)).into());
        let record = |number| names.record("evidence", &passage_slug(slug, number));
        for passage in &self.passages {
            say(node(PROV, "generated"), identifier(&record(passage.number)));
        }
        for (place, passage) in (1_i64..).zip(&self.passages) {
            let subject = NamedNode::new_unchecked(record(passage.number));
            let question = passages::is_question(&passage.text);
            let mut say = |property: NamedNode, object: Term| {
                triples.push(Triple::new(subject.clone(), property, object));
            };
            say(node("", TYPE), node(INSITES, "Evidence").into());
            say(node(DCTERMS, "title"), english(&title(&passage.text, question, &around.role)));
            say(node(DCTERMS, "description"), english(&passage.text));
            let kind = names.record("evidence-kind", "interview");
            say(node(INSITES, "evidenceKind"), identifier(&kind));
            say(node(PROV, "wasGeneratedBy"), own.clone().into());
            if let (Some(role), false) = (self.roles.first(), question) {
                say(node(PROV, "wasAttributedTo"), identifier(role));
            }
            say(node(INSITES, "atSite"), identifier(&self.site));
            say(node(SCHEMA, "position"), Literal::from(place).into());
            if !self.date.is_empty() {
                say(node(DCTERMS, "date"), date(&self.date));
            }
            say(node(INSITES, "status"), node(INSITES, status).into());
            for (property, codes) in passage.codes.by_property() {
                for code in codes {
                    say(node("", &property), identifier(code));
                }
            }
        }
        let passages: Vec<String> = self.passages.iter().map(|p| record(p.number)).collect();
        // What else was said goes with the passage that it was said of.
        triples.extend(
            self.extra
                .iter()
                .filter(|triple| match &triple.subject {
                    NamedOrBlankNode::NamedNode(subject) => {
                        passage_number(names, slug, subject.as_str()).is_none()
                            || passages.iter().any(|passage| passage == subject.as_str())
                    }
                    NamedOrBlankNode::BlankNode(_) => true,
                })
                .cloned(),
        );
        triples
    }
}

fn audience(iri: &str) -> Visibility {
    iri.strip_prefix(INSITES).and_then(Visibility::parse).unwrap_or(Visibility::Curators)
}

fn take_of_passage(
    passage: &mut Passage,
    position: &mut i64,
    property: &str,
    said: String,
) -> bool {
    if let Some(list) = passage.codes.list(property) {
        list.push(said);
        return true;
    }
    if property == format!("{DCTERMS}description") {
        passage.text = said;
        return true;
    }
    if property == format!("{SCHEMA}position") {
        *position = said.parse().unwrap_or(0);
        return true;
    }
    [
        TYPE.to_owned(),
        format!("{DCTERMS}title"),
        format!("{DCTERMS}date"),
        format!("{INSITES}evidenceKind"),
        format!("{INSITES}atSite"),
        format!("{INSITES}status"),
        format!("{PROV}wasGeneratedBy"),
        format!("{PROV}wasAttributedTo"),
    ]
    .iter()
    .any(|known| known == property)
        && property != format!("{SKOS}note")
}

/// What a passage is called: who speaks, and how it begins.
fn title(text: &str, question: bool, role: &str) -> String {
    let said = passages::said(text);
    let begins: String = if said.chars().count() <= TITLE {
        said.to_owned()
    } else {
        let cut: String = said.chars().take(TITLE).collect();
        let end = cut.rfind(' ').unwrap_or(cut.len());
        format!("{}…", cut[..end].trim_end_matches([',', ';', '.', ' ']))
    };
    let who = if question { "Question" } else { role };
    if who.is_empty() { format!("“{begins}”") } else { format!("{who}: “{begins}”") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around() -> Around {
        Around {
            title: "Interview".to_owned(),
            role: "Innovation lead".to_owned(),
            illustrative: true,
        }
    }

    fn example() -> Interview {
        let names = Names::default();
        let mut interview = Interview {
            roles: vec![names.record("person-role", "innovation-lead")],
            site: names.record("organisation", "demonstration-site-01"),
            date: "2026-02-03".to_owned(),
            consent: Some(Consent { scope: "quoting".to_owned(), date: "2026-02-01".to_owned() }),
            audience: Visibility::Members,
            kept: vec![("CM1 7ET".to_owned(), "the hospital".to_owned())],
            ..Interview::default()
        };
        interview
            .rewrite("Interviewer: Why?\n\nLead: Because nobody owned it.\n\nAnd then it went.");
        interview.passages[1].codes.themes = vec![names.record("theme", "leadership")];
        interview.passages[1].codes.supports = vec![names.record("lesson", "x")];
        interview
    }

    #[test]
    fn what_is_written_is_read_again() {
        let names = Names::default();
        let interview = example();
        let triples = interview.triples(&names, "one", &around());
        assert_eq!(Interview::read(&names, "one", &triples), interview);
        let mut shuffled = triples.clone();
        shuffled.reverse();
        assert_eq!(Interview::read(&names, "one", &shuffled), interview);
    }

    #[test]
    fn a_question_is_attributed_to_nobody() {
        let triples = example().triples(&Names::default(), "one", &around());
        let attributed: Vec<String> = triples
            .iter()
            .filter(|t| t.predicate.as_str().ends_with("wasAttributedTo"))
            .map(|t| t.subject.to_string())
            .collect();
        assert_eq!(attributed.len(), 2);
        assert!(attributed.iter().all(|subject| !subject.contains("one-p01")), "{attributed:?}");
        let titles: Vec<String> = triples
            .iter()
            .filter(|t| t.predicate.as_str().ends_with("title"))
            .map(|t| value(&t.object))
            .collect();
        assert_eq!(
            titles,
            [
                "Interview",
                "Question: “Why?”",
                "Innovation lead: “Because nobody owned it.”",
                "Innovation lead: “And then it went.”"
            ]
        );
    }

    #[test]
    fn editing_keeps_codes_with_their_words() {
        let mut interview = example();
        let codes = interview.passages[1].codes.clone();
        assert_eq!(interview.rewrite(&interview.text()), Vec::<u32>::new());
        assert_eq!(interview, example());
        let carried = interview
            .rewrite("New first.\n\nLead: Because nobody there owned it.\n\nAnd then it went.");
        assert_eq!(interview.passages.iter().map(|p| p.number).collect::<Vec<_>>(), [4, 5, 3]);
        assert_eq!(carried, [5]);
        assert_eq!(interview.passages[1].codes, codes);
        // The first one's number does not come back.
        interview.rewrite("Interviewer: Why?");
        assert_eq!((interview.passages[0].number, interview.highest), (6, 6));
    }

    #[test]
    fn what_is_not_known_here_is_kept() {
        let names = Names::default();
        let interview = example();
        let mut triples = interview.triples(&names, "one", &around());
        let note = |kind: &str, slug: &str| {
            let subject = NamedNode::new_unchecked(names.record(kind, slug));
            Triple::new(subject, node(SKOS, "note"), english("mind this"))
        };
        let notes =
            [note("interview", "one"), note("evidence", "one-p02"), note("evidence", "one-p03")];
        triples.extend(notes.clone());
        let mut read = Interview::read(&names, "one", &triples);
        let written = read.triples(&names, "one", &around());
        assert!(notes.iter().all(|note| written.contains(note)));
        read.rewrite("And then it went.");
        let written = read.triples(&names, "one", &around());
        assert!(
            written.contains(&notes[0])
                && !written.contains(&notes[1])
                && written.contains(&notes[2])
        );
    }

    #[test]
    fn an_audience_that_is_not_known_is_the_narrowest() {
        assert_eq!(audience("http://x/y"), Visibility::Curators);
        assert_eq!(audience(&format!("{INSITES}Public")), Visibility::Public);
    }
}
