//! What a comparison is asked to compare: along which axes, of which sources,
//! counting what. Not for how a request says it.

use serde::Serialize;

/// What records are told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Axis {
    /// The side of innovation work.
    Dimension,
    /// The subject.
    Theme,
    /// The organisation where it was, or that it is about.
    Organisation,
    /// The same, Innovation Sites alone.
    Site,
    /// The region of the organisation.
    Region,
    /// The kind of organisation.
    OrganisationKind,
    /// How a case ended.
    Outcome,
    /// The year in which it began or was said.
    Period,
    /// The role of who said it.
    Role,
    /// The programme.
    Programme,
    /// The kind of evidence.
    EvidenceKind,
    /// The kind of record.
    Kind,
}

impl Axis {
    /// All axes.
    pub const ALL: [Self; 12] = [
        Self::Dimension,
        Self::Theme,
        Self::Organisation,
        Self::Site,
        Self::Region,
        Self::OrganisationKind,
        Self::Outcome,
        Self::Period,
        Self::Role,
        Self::Programme,
        Self::EvidenceKind,
        Self::Kind,
    ];

    /// The name in parameters.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Dimension => "dimension",
            Self::Theme => "theme",
            Self::Organisation => "organisation",
            Self::Site => "site",
            Self::Region => "region",
            Self::OrganisationKind => "organisation-kind",
            Self::Outcome => "outcome",
            Self::Period => "period",
            Self::Role => "role",
            Self::Programme => "programme",
            Self::EvidenceKind => "evidence-kind",
            Self::Kind => "kind",
        }
    }

    /// What people call it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Dimension => "Dimension",
            Self::Theme => "Theme",
            Self::Organisation => "Organisation",
            Self::Site => "Innovation Site",
            Self::Region => "Region",
            Self::OrganisationKind => "Kind of organisation",
            Self::Outcome => "Outcome",
            Self::Period => "Year",
            Self::Role => "Role of person",
            Self::Programme => "Programme",
            Self::EvidenceKind => "Kind of evidence",
            Self::Kind => "Kind of record",
        }
    }

    /// The same within a sentence.
    #[must_use]
    pub fn in_sentence(self) -> String {
        match self {
            Self::Site => self.label().to_owned(),
            other => other.label().to_lowercase(),
        }
    }

    /// The axis with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|axis| axis.name() == name)
    }

    /// Whether it is the organisation itself, so that counting organisations
    /// in a cell would give one or none.
    #[must_use]
    pub fn is_organisation(self) -> bool {
        matches!(self, Self::Organisation | Self::Site)
    }

    /// Whether it is read from the organisation, not from the record.
    #[must_use]
    pub fn of_organisation(self) -> bool {
        matches!(self, Self::Organisation | Self::Site | Self::Region | Self::OrganisationKind)
    }
}

/// Records that are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// Case studies.
    CaseStudy,
    /// Lessons.
    Lesson,
    /// Evidence: passages of interviews and workshops, feedback.
    Evidence,
    /// Answers to the data-collection tool.
    ToolAnswer,
    /// Figures of case studies, which have the axes of their case.
    Result,
}

impl Source {
    /// All sources.
    pub const ALL: [Self; 5] =
        [Self::CaseStudy, Self::Lesson, Self::Evidence, Self::ToolAnswer, Self::Result];
    /// Those counted unless others are asked for. Figures stand for their case
    /// study, which is counted already.
    pub const USUAL: [Self; 4] = [Self::CaseStudy, Self::Lesson, Self::Evidence, Self::ToolAnswer];

    /// The name in parameters, which is the kind in addresses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CaseStudy => "case-study",
            Self::Lesson => "lesson",
            Self::Evidence => "evidence",
            Self::ToolAnswer => "tool-answer",
            Self::Result => "result",
        }
    }

    /// What people call several of them.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::CaseStudy => "Case studies",
            Self::Lesson => "Lessons",
            Self::Evidence => "Evidence (passages of interviews and workshops)",
            Self::ToolAnswer => "Answers to the data-collection tool",
            Self::Result => "Figures",
        }
    }

    /// The class.
    #[must_use]
    pub fn class(self) -> &'static str {
        match self {
            Self::CaseStudy => "CaseStudy",
            Self::Lesson => "Lesson",
            Self::Evidence => "Evidence",
            Self::ToolAnswer => "ToolAnswer",
            Self::Result => "Result",
        }
    }

    /// The source with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.name() == name)
    }

    /// The source with this number in [`Source::ALL`].
    #[must_use]
    pub fn numbered(number: u32) -> Option<Self> {
        Self::ALL.get(usize::try_from(number).ok()?).copied()
    }

    /// Its number in [`Source::ALL`].
    #[must_use]
    pub fn number(self) -> u32 {
        match self {
            Self::CaseStudy => 0,
            Self::Lesson => 1,
            Self::Evidence => 2,
            Self::ToolAnswer => 3,
            Self::Result => 4,
        }
    }
}

/// What is counted in a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Organisations that have a record there.
    Organisations,
    /// Records.
    Records,
}

impl Unit {
    /// The name in parameters.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Organisations => "organisations",
            Self::Records => "records",
        }
    }
}

/// What is asked. Values of filters are numbers of terms, years, or numbers of
/// sources; several of one axis mean any of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Asked {
    /// What is compared.
    pub rows: Axis,
    /// Among which groups.
    pub columns: Axis,
    /// What is counted.
    pub unit: Unit,
    /// Of which records.
    pub sources: Vec<Source>,
    /// Illustrative records instead of real ones; never both.
    pub illustrative: bool,
    /// Only what has these values.
    pub filters: Vec<(Axis, Vec<u32>)>,
    /// Most rows and most columns.
    pub limit: usize,
}
