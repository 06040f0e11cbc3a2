//! The fields of the interview form: what was sent, and whether it can be kept.

use crate::capture::interview::Interview;
use crate::capture::personal::{Decision, Find, find, replace};
use crate::capture::{self, text};
use crate::http::State;
use crate::http::error::Problem;
use crate::http::interviews::sent::Sent;
use crate::pages::interviews::{Choosable, Fault, FindShown};
use crate::rdf::Visibility;
use std::collections::{BTreeMap, HashMap};

/// The shortest reason why something is no personal data (characters).
const SHORTEST_REASON: usize = 3;

/// Most finds that are asked about at once, and most decisions on them.
pub(super) const ASKED: usize = 200;
const MOST_DECISIONS: usize = 2_000;
/// Most places of one find that are told.
const MOST_PLACES: usize = 20;

/// What somebody decided about a find.
#[derive(Debug, Clone)]
pub(super) struct Decided {
    text: String,
    keep: bool,
    word: String,
    why: String,
}

/// The fields as they were sent.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields {
    pub(super) role: String,
    pub(super) site: String,
    pub(super) date: [String; 3],
    pub(super) consent: bool,
    pub(super) consent_for: String,
    pub(super) consent_date: [String; 3],
    pub(super) audience: String,
    pub(super) notes: String,
    pub(super) basis: String,
    pub(super) decided: Vec<Decided>,
}

/// A date in three parts, from the boxes or as `2026-02-03`.
fn date_of(sent: &mut Sent, name: &str) -> [String; 3] {
    let whole = sent.field(name);
    let parts = ["day", "month", "year"].map(|part| sent.field(&format!("{name}-{part}")));
    if whole.is_empty() { parts } else { split_date(&whole) }
}

pub(super) fn split_date(date: &str) -> [String; 3] {
    let mut parts: Vec<String> = date.split('-').map(str::to_owned).collect();
    parts.resize(3, String::new());
    let [year, month, day] = [0, 1, 2].map(|at| std::mem::take(&mut parts[at]));
    [day.trim_start_matches('0').to_owned(), month.trim_start_matches('0').to_owned(), year]
}

/// Three parts as `2026-02-03`, if that is a day.
fn join_date(parts: &[String; 3]) -> Option<String> {
    let number = |text: &String| text.trim().parse::<u16>().ok();
    let (day, month, year) = (number(&parts[0])?, number(&parts[1])?, number(&parts[2])?);
    let date = format!("{year:04}-{month:02}-{day:02}");
    (year >= 1948 && date.parse::<oxsdatatypes::Date>().is_ok()).then_some(date)
}

impl Fields {
    /// The fields of a request, with the words of an uploaded file, and what is
    /// wrong with that.
    pub(super) fn of(sent: &mut Sent) -> (Self, Vec<Fault>) {
        let mut faults = Vec::new();
        let mut notes = sent.field("notes");
        if let Some((name, bytes)) = sent.file.take() {
            match text::read(&name, &bytes) {
                Ok(text) => notes = text,
                Err(error) => faults.push(fault("file", sentence(&error.to_string()))),
            }
        } else if notes.len() > text::LARGEST_TEXT {
            faults.push(fault("notes", sentence(&text::Error::TooLong.to_string())));
        }
        let decided = (0..MOST_DECISIONS)
            .map_while(|number| {
                let mut field = |name: &str| sent.field(&format!("find-{number}-{name}"));
                let text = field("text");
                let keep = field("do") == "keep";
                let (word, why) = (field("with"), field("why"));
                (!text.is_empty()).then_some(Decided { text, keep, word, why })
            })
            .collect();
        let fields = Self {
            role: sent.field("role"),
            site: sent.field("site"),
            date: date_of(sent, "date"),
            consent: sent.field("consent") == "yes",
            consent_for: sent.field("consent-for"),
            consent_date: date_of(sent, "consent-date"),
            audience: sent.field("audience"),
            notes,
            basis: sent.field("basis"),
            decided,
        };
        (fields, faults)
    }

    /// The fields of an interview that is there already.
    pub(super) fn of_interview(interview: &Interview, basis: String) -> Self {
        let consent = interview.consent.clone();
        let slug = |iri: &str| iri.rsplit('/').next().unwrap_or_default().to_owned();
        Self {
            role: interview.roles.first().map(|role| slug(role)).unwrap_or_default(),
            site: slug(&interview.site),
            date: split_date(&interview.date),
            consent: consent.is_some(),
            consent_for: consent.as_ref().map(|c| c.scope.clone()).unwrap_or_default(),
            consent_date: consent.map(|c| split_date(&c.date)).unwrap_or_default(),
            audience: interview.audience.name().to_lowercase(),
            notes: interview.text(),
            basis,
            decided: Vec::new(),
        }
    }

    /// The fields as a form sends them again.
    pub(super) fn pairs(&self) -> Vec<(String, String)> {
        let mut pairs: Vec<(String, String)> = [
            ("role", &self.role),
            ("site", &self.site),
            ("consent-for", &self.consent_for),
            ("audience", &self.audience),
            ("basis", &self.basis),
            ("notes", &self.notes),
        ]
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .into();
        for (name, date) in [("date", &self.date), ("consent-date", &self.consent_date)] {
            for (part, value) in ["day", "month", "year"].iter().zip(date) {
                pairs.push((format!("{name}-{part}"), value.clone()));
            }
        }
        if self.consent {
            pairs.push(("consent".to_owned(), "yes".to_owned()));
        }
        pairs
    }

    /// Puts the neutral words in that were decided on.
    fn with_replacements(&self) -> Self {
        let decisions: Vec<(String, Decision)> = self
            .decided
            .iter()
            .filter(|decided| !decided.keep && !decided.word.is_empty())
            .map(|decided| (decided.text.clone(), Decision::Replace(decided.word.clone())))
            .collect();
        Self {
            notes: replace(&self.notes, &decisions),
            consent_for: replace(&self.consent_for, &decisions),
            ..self.clone()
        }
    }
}

/// What a person who wants to save must still decide on, or what can be saved.
pub(super) enum Looked {
    /// Nothing is open: the fields as they are to be saved, and what was kept
    /// with its reason.
    Clean(Fields, Vec<(String, String)>),
    /// Finds that are open, with what is wrong with a decision on them.
    Open(Fields, Vec<FindShown>, Vec<Fault>),
}

impl Fields {
    /// Looks for personal data. `before` is what was kept when the interview was
    /// last saved.
    pub(super) fn look(&self, before: &[(String, String)]) -> Looked {
        let fields = self.with_replacements();
        let texts = [&fields.notes, &fields.consent_for];
        let found: Vec<(usize, Find)> = texts
            .iter()
            .enumerate()
            .flat_map(|(at, text)| find(text).into_iter().map(move |find| (at, find)))
            .collect();
        let decisions: HashMap<&str, &Decided> =
            self.decided.iter().map(|decided| (decided.text.as_str(), decided)).collect();
        let mut kept: BTreeMap<String, String> = BTreeMap::new();
        let mut open: Vec<FindShown> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut faults = Vec::new();
        for (at, one) in found {
            if kept.contains_key(&one.text) {
                continue;
            }
            let around = capture::personal::context(texts[at], &one);
            let place = (around.before, around.text, around.after);
            if let Some(index) = places.get(&one.text) {
                if open[*index].places.len() < MOST_PLACES {
                    open[*index].places.push(place);
                }
                continue;
            }
            let decided = decisions.get(one.text.as_str());
            let why = decided.filter(|d| d.keep).map(|d| d.why.clone());
            let why = why.or_else(|| {
                let known = before.iter().find(|(words, _)| *words == one.text);
                known.filter(|_| decided.is_none()).map(|(_, why)| why.clone())
            });
            // A reason says something, and names nobody.
            if let Some(why) = why.as_ref().filter(|why| why.chars().count() >= SHORTEST_REASON)
                && find(why).is_empty()
            {
                kept.insert(one.text.clone(), why.clone());
                continue;
            }
            if open.len() == ASKED {
                continue;
            }
            if let Some(decided) = decided {
                let message = match (decided.keep, decided.why.is_empty()) {
                    (true, true) => format!("Say why {} is no personal data", one.text),
                    (true, false) => {
                        format!(
                            "Say in a few words, without personal data, why {} may stay",
                            one.text
                        )
                    }
                    _ => format!("Give a neutral word in place of {}", one.text),
                };
                faults.push(fault(&format!("find-{}", open.len()), message));
            }
            places.insert(one.text.clone(), open.len());
            open.push(FindShown {
                kind: one.sort.name(),
                sort: one.sort.label().to_owned(),
                text: one.text.clone(),
                places: vec![place],
                word: one.sort.neutral().to_owned(),
                why: why.unwrap_or_default(),
                keep: decided.is_some_and(|decided| decided.keep),
            });
        }
        if open.is_empty() {
            let kept = kept.into_iter().collect();
            return Looked::Clean(Self { decided: Vec::new(), ..fields }, kept);
        }
        // What was decided well is not asked again.
        Looked::Open(fields, open, faults)
    }

    /// Decisions to keep something, which go along while others are open.
    pub(super) fn decided_to_keep(&self, open: &[FindShown]) -> Vec<(String, String)> {
        let keep = self
            .decided
            .iter()
            .filter(|decided| decided.keep && !open.iter().any(|shown| shown.text == decided.text));
        (open.len()..)
            .zip(keep)
            .flat_map(|(number, decided)| {
                [("text", decided.text.as_str()), ("do", "keep"), ("why", decided.why.as_str())]
                    .map(|(name, value)| (format!("find-{number}-{name}"), value.to_owned()))
            })
            .collect()
    }
}

/// A choice as pages show it.
pub(super) fn choosable(choice: &capture::Choice, chosen: bool) -> Choosable {
    Choosable {
        value: choice.value.clone(),
        text: choice.text.clone(),
        help: choice.help.clone(),
        chosen,
    }
}

pub(super) fn fault(field: &str, message: impl Into<String>) -> Fault {
    Fault { field: field.to_owned(), message: message.into() }
}

/// A message of ours as a sentence of a page.
fn sentence(message: &str) -> String {
    let message = message.replace("\nhint: ", ". ");
    let mut letters = message.chars();
    let begin = letters.next().map(|c| c.to_uppercase().collect::<String>()).unwrap_or_default();
    begin + letters.as_str()
}

/// What can be chosen on the form.
pub(super) struct Choices {
    pub(super) roles: Vec<capture::Choice>,
    pub(super) sites: Vec<capture::Choice>,
}

impl Choices {
    /// As the caller sees it; contributors write for their own site alone.
    pub(super) fn of(state: &State) -> Result<Self, Problem> {
        let snapshot = state.snapshot()?;
        let names = &state.config.names;
        let records = capture::Records { graph: &snapshot.graph, names };
        let mut sites = records.instances(&format!("{}Site", crate::rdf::vocabulary::INSITES));
        sites.retain(|site| {
            let iri = match &site.term {
                crate::rdf::Term::NamedNode(iri) => iri.as_str(),
                _ => return false,
            };
            capture::may_work_on(names, &state.caller, Some(iri))
        });
        Ok(Self { roles: records.concepts(&names.record("scheme", "person-roles")), sites })
    }

    pub(super) fn shown(choices: &[capture::Choice], chosen: &str) -> Vec<Choosable> {
        choices
            .iter()
            .map(|choice| choosable(choice, choice.value == chosen || is(&choice.term, chosen)))
            .collect()
    }
}

fn is(term: &crate::rdf::Term, iri: &str) -> bool {
    matches!(term, crate::rdf::Term::NamedNode(node) if node.as_str() == iri)
}

/// The identifier of what was chosen, by its value or itself.
fn chosen<'a>(choices: &'a [capture::Choice], sent: &str) -> Option<(&'a str, &'a str)> {
    let choice = choices.iter().find(|choice| choice.value == sent || is(&choice.term, sent))?;
    match &choice.term {
        crate::rdf::Term::NamedNode(node) => Some((node.as_str(), &choice.text)),
        _ => None,
    }
}

/// Fields that can be kept.
#[derive(Debug, Clone)]
pub(super) struct Valid {
    pub(super) role: String,
    pub(super) site: String,
    pub(super) date: String,
    pub(super) consent_date: String,
    pub(super) audience: Visibility,
}

impl Fields {
    /// Whether the fields can be kept, or what is wrong with them.
    pub(super) fn judge(
        &self,
        choices: &Choices,
        mut faults: Vec<Fault>,
    ) -> Result<Valid, Vec<Fault>> {
        let today = crate::rdf::now();
        let today = today.get(..10).unwrap_or_default();
        let role = chosen(&choices.roles, &self.role);
        let site = chosen(&choices.sites, &self.site);
        let [date, consent_date] = [&self.date, &self.consent_date].map(join_date);
        let late = |date: &Option<String>| date.as_deref().is_some_and(|date| date > today);
        let audience = Visibility::parse(&self.audience);
        let file = faults.pop();
        let wrong = [
            (role.is_none(), "role", "Choose the role of the person who was interviewed"),
            (site.is_none(), "site", "Choose the site"),
            (date.is_none(), "date", "Enter the day of the interview, such as 3 2 2026"),
            (late(&date), "date", "The day of the interview must be today or in the past"),
            (!self.consent, "consent", "An interview is kept only if the person agreed"),
            (self.consent_for.is_empty(), "consent-for", "Enter what the person agreed to"),
            (
                self.consent_for.chars().count() > 500,
                "consent-for",
                "Say in fewer than 500 characters what the person agreed to",
            ),
            (
                consent_date.is_none(),
                "consent-date",
                "Enter the day on which the person agreed, such as 1 2 2026",
            ),
            (
                late(&consent_date),
                "consent-date",
                "The day of consent must be today or in the past",
            ),
            (audience.is_none(), "audience", "Choose who may see the interview"),
            (
                !self.notes.chars().any(char::is_alphanumeric) && file.is_none(),
                "notes",
                "Enter what was said, or choose a file",
            ),
        ];
        let mut faults: Vec<Fault> = wrong
            .into_iter()
            .filter(|(wrong, ..)| *wrong)
            .map(|(_, field, message)| fault(field, message))
            .collect();
        faults.extend(file);
        match (role, site, date, consent_date, audience) {
            (Some((role, _)), Some((site, _)), Some(date), Some(consent_date), Some(audience))
                if faults.is_empty() =>
            {
                Ok(Valid {
                    role: role.to_owned(),
                    site: site.to_owned(),
                    date,
                    consent_date,
                    audience,
                })
            }
            _ => Err(faults),
        }
    }
}
