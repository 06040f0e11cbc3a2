//! The SPARQL behind a comparison: queries that anyone can run and change, and
//! that give the counts shown. Not for running them.

use crate::compare::asked::{Asked, Axis, Source, Unit};
use crate::rdf::Names;
use std::fmt::Write as _;

/// Terms of the filters: IRIs, years, or names of sources.
pub type Filters = Vec<(Axis, Vec<String>)>;

/// Writes queries for a comparison.
#[derive(Debug)]
pub struct Queries<'a> {
    /// What is asked.
    pub asked: &'a Asked,
    /// Its filters, as terms.
    pub filters: &'a Filters,
    /// The base of addresses.
    pub names: &'a Names,
    /// Whether drafts are seen, which are to be left out.
    pub drafts: bool,
}

impl Queries<'_> {
    /// Units by row and column: what the cells show.
    #[must_use]
    pub fn cells(&self) -> String {
        let mut text = self.beginning("?row ?column");
        self.axis(&mut text, self.asked.rows, "row");
        self.axis(&mut text, self.asked.columns, "column");
        Self::end(text, "?row ?column")
    }

    /// Units by column: what the cells are out of.
    #[must_use]
    pub fn columns(&self) -> String {
        let mut text = self.beginning("?column");
        self.axis(&mut text, self.asked.columns, "column");
        Self::end(text, "?column")
    }

    fn counted(&self) -> &'static str {
        match self.asked.unit {
            Unit::Organisations => "?unit",
            Unit::Records => "?record",
        }
    }

    /// A property of a record or, of a figure, of its case study.
    fn path(&self, path: &str) -> String {
        if self.asked.sources.contains(&Source::Result) {
            format!("({path}|insites:ofCaseStudy/({path}))")
        } else {
            path.to_owned()
        }
    }

    fn organisation(&self) -> String {
        self.path("(insites:atOrganisation|insites:atSite|insites:aboutOrganisation)")
    }

    fn beginning(&self, variables: &str) -> String {
        let mut text = String::from(
            "PREFIX insites: <https://w3id.org/insites/ontology#>\n\
             PREFIX dct: <http://purl.org/dc/terms/>\n\
             PREFIX prov: <http://www.w3.org/ns/prov#>\n\n",
        );
        let counted = self.counted();
        // Writing to a string cannot fail, here and below.
        let _ =
            writeln!(text, "SELECT {variables} (COUNT(DISTINCT {counted}) AS ?count)\nWHERE {{");
        text.push_str("  VALUES (?class ?kind) {");
        for source in &self.asked.sources {
            let _ = write!(text, " (insites:{} \"{}\")", source.class(), source.name());
        }
        text.push_str(" }\n  ?record a ?class .\n");
        if self.asked.illustrative {
            text.push_str("  ?record insites:status insites:Illustrative .\n");
        } else {
            text.push_str("  FILTER NOT EXISTS { ?record insites:status insites:Illustrative }\n");
        }
        if self.drafts {
            let drafts = self.names.graph("draft/");
            let _ = writeln!(
                text,
                "  FILTER EXISTS {{ GRAPH ?graph {{ ?record a ?class }} FILTER(!STRSTARTS(STR(?graph), \"{}\")) }}",
                drafts.as_str()
            );
        }
        if self.asked.unit == Unit::Organisations {
            let _ = writeln!(text, "  ?record {} ?unit .", self.organisation());
        }
        for (number, (axis, values)) in self.filters.iter().enumerate() {
            let name = format!("only{number}");
            let values = values.join(" ");
            // After the pattern: a year is bound there.
            self.axis(&mut text, *axis, &name);
            let _ = writeln!(text, "  VALUES ?{name} {{ {values} }}");
        }
        text
    }

    /// How the values of an axis are found.
    fn axis(&self, text: &mut String, axis: Axis, name: &str) {
        let of_unit = self.asked.unit == Unit::Organisations;
        let organisation = self.organisation();
        let theme = self.names.record("theme", "");
        let _ = match axis {
            Axis::Dimension => {
                writeln!(text, "  ?record {} ?{name} .", self.path("insites:dimension"))
            }
            Axis::Theme => writeln!(
                text,
                "  ?record {} ?{name} .\n  FILTER(STRSTARTS(STR(?{name}), \"{theme}\"))",
                self.path("dct:subject")
            ),
            Axis::Organisation if of_unit => {
                writeln!(text, "  ?record {organisation} ?{name} .\n  FILTER(?{name} = ?unit)")
            }
            Axis::Organisation => writeln!(text, "  ?record {organisation} ?{name} ."),
            Axis::Site if of_unit => writeln!(
                text,
                "  ?record {organisation} ?{name} .\n  ?{name} a insites:Site .\n  FILTER(?{name} = ?unit)"
            ),
            Axis::Site => {
                writeln!(text, "  ?record {organisation} ?{name} .\n  ?{name} a insites:Site .")
            }
            Axis::Region if of_unit => writeln!(text, "  ?unit insites:region ?{name} ."),
            Axis::Region => writeln!(text, "  ?record {organisation}/insites:region ?{name} ."),
            Axis::OrganisationKind if of_unit => {
                writeln!(text, "  ?unit insites:organisationKind ?{name} .")
            }
            Axis::OrganisationKind => {
                writeln!(text, "  ?record {organisation}/insites:organisationKind ?{name} .")
            }
            Axis::Outcome => {
                writeln!(text, "  ?record {} ?{name} .", self.path("insites:outcomeStatus"))
            }
            Axis::Role => writeln!(
                text,
                "  ?record {} ?{name} .",
                self.path("(prov:wasAttributedTo|insites:withRole)")
            ),
            Axis::Programme => {
                writeln!(text, "  ?record {} ?{name} .", self.path("insites:inProgramme"))
            }
            Axis::EvidenceKind => {
                writeln!(text, "  ?record {} ?{name} .", self.path("insites:evidenceKind"))
            }
            Axis::Kind => writeln!(text, "  BIND(?kind AS ?{name})"),
            Axis::Period => writeln!(
                text,
                "  {{ ?record insites:period ?{name}Said }}\n  \
                 UNION {{ ?record a insites:ToolAnswer ; dct:date ?{name}Said }}\n  \
                 UNION {{ ?record prov:wasGeneratedBy/dct:date ?{name}Said }}\n  \
                 UNION {{ ?record a insites:Lesson ; insites:sourceDateKind insites:Published ; dct:date ?{name}Said }}\n  \
                 FILTER(REGEX(STR(?{name}Said), \"(19|20)[0-9][0-9]\"))\n  \
                 BIND(REPLACE(STR(?{name}Said), \"^.*?((19|20)[0-9][0-9]).*$\", \"$1\", \"s\") AS ?{name})"
            ),
        };
    }

    fn end(mut text: String, by: &str) -> String {
        let _ = write!(text, "}}\nGROUP BY {by}\nORDER BY DESC(?count) {by}\n");
        text
    }
}
