//! Every record that can be compared, with its values on each axis: read from
//! the sorted quads of a snapshot, once a revision. Not for counting.

use crate::compare::asked::{Axis, Source};
use crate::graph::GraphPattern;
use crate::graph::Snapshot;
use crate::rdf::Names;
use crate::rdf::TermId;
use crate::rdf::vocabulary::{DCTERMS, INSITES, TYPE};
use rustc_hash::{FxHashMap, FxHashSet};

const PROV: &str = "http://www.w3.org/ns/prov#";

/// No record.
const NONE: u32 = u32::MAX;

/// A record that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// Its number.
    pub id: TermId,
    /// What it is.
    pub source: Source,
    /// Whether it was made up.
    pub illustrative: bool,
}

/// Values of each record on one axis.
#[derive(Debug, Default)]
struct Lists {
    starts: Vec<u32>,
    values: Vec<u32>,
}

impl Lists {
    /// From pairs of record and value in any order.
    fn new(mut pairs: Vec<(u32, u32)>, records: usize) -> Self {
        pairs.sort_unstable();
        pairs.dedup();
        let mut starts = vec![0_u32; records + 1];
        for (record, _) in &pairs {
            starts[*record as usize + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        Self { starts, values: pairs.into_iter().map(|(_, value)| value).collect() }
    }

    fn of(&self, record: usize) -> &[u32] {
        &self.values[self.starts[record] as usize..self.starts[record + 1] as usize]
    }
}

/// What is known of an organisation.
#[derive(Debug, Default)]
struct Organisation {
    regions: Vec<u32>,
    kinds: Vec<u32>,
    is_site: bool,
}

/// All records that can be compared.
#[derive(Debug, Default)]
pub struct Gathered {
    records: Vec<Record>,
    lists: FxHashMap<Axis, Lists>,
    organisations: FxHashMap<TermId, Organisation>,
    /// Whether a graph of drafts was seen and left out.
    pub drafts: bool,
}

/// The first year of the last or of this century that a text names.
#[must_use]
pub fn year(text: &str) -> Option<u32> {
    text.as_bytes().windows(4).find_map(|four| {
        let digits = std::str::from_utf8(four).ok()?;
        let century = digits.starts_with("19") || digits.starts_with("20");
        (century && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok())?
    })
}

/// Reads quads while records are gathered.
struct Reading<'a> {
    graph: &'a Snapshot,
    drafts: FxHashSet<TermId>,
    /// The place of each term among the records.
    places: Vec<u32>,
}

impl Reading<'_> {
    fn place(&self, id: TermId) -> Option<u32> {
        self.places.get(id as usize).copied().filter(|place| *place != NONE)
    }

    /// Subjects and objects of a property, drafts left out.
    fn pairs(&self, property: &str) -> impl Iterator<Item = (TermId, TermId)> + '_ {
        self.graph.iri_id(property).into_iter().flat_map(move |property| {
            self.graph
                .quads()
                .matching(None, Some(property), None, GraphPattern::Any)
                .filter(|quad| !self.drafts.contains(&quad[3]))
                .map(|[s, _, o, _]| (s, o))
        })
    }

    /// Records with their objects.
    fn of_records(&self, property: &str, into: &mut Vec<(u32, u32)>) {
        into.extend(self.pairs(property).filter_map(|(s, o)| Some((self.place(s)?, o))));
    }

    fn subjects(&self, property: &str, object: &str) -> Vec<TermId> {
        let Some((property, object)) = self.graph.iri_id(property).zip(self.graph.iri_id(object))
        else {
            return Vec::new();
        };
        self.graph
            .quads()
            .matching(None, Some(property), Some(object), GraphPattern::Any)
            .filter(|quad| !self.drafts.contains(&quad[3]))
            .map(|quad| quad[0])
            .collect()
    }
}

impl Gathered {
    /// Gathers what a snapshot shows. Records that stand in drafts alone, and
    /// what only drafts say, are left out, whoever asks.
    #[must_use]
    pub fn new(graph: &Snapshot, names: &Names) -> Self {
        let draft = names.graph("draft/").into_string();
        let drafts: FxHashSet<TermId> = graph
            .named_graphs()
            .into_iter()
            .filter(|id| graph.text(*id).is_some_and(|iri| iri.starts_with(&draft)))
            .collect();
        let mut reading = Reading { graph, drafts, places: Vec::new() };
        let mut records = Vec::new();
        for source in Source::ALL {
            let found = reading.subjects(TYPE, &format!("{INSITES}{}", source.class()));
            records.extend(found.into_iter().map(|id| Record { id, source, illustrative: false }));
        }
        records.sort_unstable_by_key(|record| (record.id, record.source));
        records.dedup_by_key(|record| record.id);
        let most = records.last().map_or(0, |record| record.id as usize + 1);
        reading.places = vec![NONE; most];
        for (place, record) in (0_u32..).zip(&records) {
            reading.places[record.id as usize] = place;
        }
        for id in reading.subjects(&format!("{INSITES}status"), &format!("{INSITES}Illustrative")) {
            if let Some(place) = reading.place(id) {
                records[place as usize].illustrative = true;
            }
        }
        let organisations = organisations(&reading);
        let lists = lists(&reading, &records, names);
        Self { records, lists, organisations, drafts: !reading.drafts.is_empty() }
    }

    /// The records, by number.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Values of a record on an axis that is its own; none on the others.
    #[must_use]
    pub fn own(&self, axis: Axis, record: usize) -> &[u32] {
        self.lists.get(&axis).map_or(&[], |lists| lists.of(record))
    }

    /// The organisations of a record.
    #[must_use]
    pub fn organisations(&self, record: usize) -> &[u32] {
        self.own(Axis::Organisation, record)
    }

    /// Adds an organisation's values on an axis that is read from it.
    fn of_organisation(&self, axis: Axis, organisation: TermId, into: &mut Vec<u32>) {
        let known = self.organisations.get(&organisation);
        match axis {
            Axis::Organisation => into.push(organisation),
            Axis::Site => {
                into.extend(known.filter(|known| known.is_site).map(|_| organisation));
            }
            Axis::Region => into.extend(known.iter().flat_map(|known| &known.regions)),
            Axis::OrganisationKind => into.extend(known.iter().flat_map(|known| &known.kinds)),
            _ => {}
        }
    }

    /// The values on an axis of a record, at one of its organisations or at
    /// all of them.
    pub fn values(
        &self,
        axis: Axis,
        record: usize,
        organisation: Option<TermId>,
        into: &mut Vec<u32>,
    ) {
        into.clear();
        match (axis.of_organisation(), organisation) {
            (true, Some(organisation)) => self.of_organisation(axis, organisation, into),
            (true, None) => {
                for organisation in self.organisations(record) {
                    self.of_organisation(axis, *organisation, into);
                }
                into.sort_unstable();
                into.dedup();
            }
            (false, _) if axis == Axis::Kind => into.push(self.records[record].source.number()),
            (false, _) => into.extend_from_slice(self.own(axis, record)),
        }
    }

    /// Whether any record has this value on the axis.
    #[must_use]
    pub fn has(&self, axis: Axis, value: u32) -> bool {
        match axis {
            Axis::Kind => true,
            Axis::Region => self.organisations.values().any(|o| o.regions.contains(&value)),
            Axis::OrganisationKind => self.organisations.values().any(|o| o.kinds.contains(&value)),
            Axis::Site => self.organisations.get(&value).is_some_and(|o| o.is_site),
            _ => self.lists.get(&axis).is_some_and(|lists| lists.values.contains(&value)),
        }
    }
}

fn organisations(reading: &Reading<'_>) -> FxHashMap<TermId, Organisation> {
    let mut all: FxHashMap<TermId, Organisation> = FxHashMap::default();
    for (organisation, region) in reading.pairs(&format!("{INSITES}region")) {
        all.entry(organisation).or_default().regions.push(region);
    }
    for (organisation, kind) in reading.pairs(&format!("{INSITES}organisationKind")) {
        all.entry(organisation).or_default().kinds.push(kind);
    }
    for site in reading.subjects(TYPE, &format!("{INSITES}Site")) {
        all.entry(site).or_default().is_site = true;
    }
    for organisation in all.values_mut() {
        for list in [&mut organisation.regions, &mut organisation.kinds] {
            list.sort_unstable();
            list.dedup();
        }
    }
    all
}

/// Lists of the axes that are a record's own.
fn lists(reading: &Reading<'_>, records: &[Record], names: &Names) -> FxHashMap<Axis, Lists> {
    let insites = |name: &str| format!("{INSITES}{name}");
    let of = |properties: &[String]| {
        let mut pairs = Vec::new();
        for property in properties {
            reading.of_records(property, &mut pairs);
        }
        pairs
    };
    let mut lists: Vec<(Axis, Vec<(u32, u32)>)> = vec![
        (Axis::Dimension, of(&[insites("dimension")])),
        (Axis::Theme, of(&[format!("{DCTERMS}subject")])),
        (
            Axis::Organisation,
            of(&[insites("atOrganisation"), insites("atSite"), insites("aboutOrganisation")]),
        ),
        (Axis::Outcome, of(&[insites("outcomeStatus")])),
        (Axis::Role, of(&[format!("{PROV}wasAttributedTo"), insites("withRole")])),
        (Axis::Programme, of(&[insites("inProgramme")])),
        (Axis::EvidenceKind, of(&[insites("evidenceKind")])),
    ];
    // Subjects are of several sorts: themes are those with the address of one.
    let theme = names.record("theme", "");
    let mut known: FxHashMap<TermId, bool> = FxHashMap::default();
    if let Some((_, pairs)) = lists.iter_mut().find(|(axis, _)| *axis == Axis::Theme) {
        pairs.retain(|(_, value)| {
            *known.entry(*value).or_insert_with(|| {
                reading.graph.text(*value).is_some_and(|iri| iri.starts_with(&theme))
            })
        });
    }
    // A figure has the values of its case study besides its own.
    let mut of_case: Vec<(u32, u32)> = Vec::new();
    for (result, case) in reading.pairs(&insites("ofCaseStudy")) {
        if let (Some(result), Some(case)) = (reading.place(result), reading.place(case))
            && records[result as usize].source == Source::Result
        {
            of_case.push((result, case));
        }
    }
    let mut made: FxHashMap<Axis, Lists> = lists
        .into_iter()
        .map(|(axis, mut pairs)| {
            if !of_case.is_empty() {
                let own = Lists::new(pairs.clone(), records.len());
                for (result, case) in &of_case {
                    let values = own.of(*case as usize);
                    pairs.extend(values.iter().map(|value| (*result, *value)));
                }
            }
            (axis, Lists::new(pairs, records.len()))
        })
        .collect();
    made.insert(Axis::Period, Lists::new(years(reading, records), records.len()));
    made
}

/// The year of each record: in which a case or a figure began, an answer or a
/// passage was given, a lesson was published.
fn years(reading: &Reading<'_>, records: &[Record]) -> Vec<(u32, u32)> {
    let graph = reading.graph;
    let insites = |name: &str| format!("{INSITES}{name}");
    let read = |id: TermId| graph.literal(id).and_then(|(text, _)| year(text));
    let mut pairs = Vec::new();
    for (record, period) in reading.pairs(&insites("period")) {
        pairs.extend(reading.place(record).zip(read(period)));
    }
    let published: FxHashSet<TermId> =
        reading.subjects(&insites("sourceDateKind"), &insites("Published")).into_iter().collect();
    let mut of_activity: FxHashMap<TermId, Vec<u32>> = FxHashMap::default();
    for (activity, place) in reading
        .pairs(&format!("{PROV}wasGeneratedBy"))
        .filter_map(|(record, activity)| Some((activity, reading.place(record)?)))
    {
        of_activity.entry(activity).or_default().push(place);
    }
    for (subject, date) in reading.pairs(&format!("{DCTERMS}date")) {
        let Some(year) = read(date) else { continue };
        if let Some(place) = reading.place(subject) {
            let dated = match records[place as usize].source {
                Source::ToolAnswer => true,
                Source::Lesson => published.contains(&subject),
                _ => false,
            };
            if dated {
                pairs.push((place, year));
            }
        }
        pairs.extend(of_activity.get(&subject).into_iter().flatten().map(|place| (*place, year)));
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_year_of_a_text_counts() {
        for (text, expected) in [
            ("2021-2024", Some(2021)),
            ("to 2023", Some(2023)),
            ("from 2002", Some(2002)),
            ("2026-03-10", Some(2026)),
            ("early in the programme", None),
            ("1850 beds in 1998", Some(1998)),
            ("", None),
        ] {
            assert_eq!(year(text), expected, "{text}");
        }
    }
}
