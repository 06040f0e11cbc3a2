//! The names of the SHACL vocabulary that Core needs. Not for other vocabularies.

macro_rules! names {
    ($($name:ident = $local:literal),* $(,)?) => {
        $(pub(super) const $name: oxigraph::model::NamedNodeRef<'static> =
            oxigraph::model::NamedNodeRef::new_unchecked(
                concat!("http://www.w3.org/ns/shacl#", $local));)*
    };
}

/// The namespace of SHACL.
pub(super) const NAMESPACE: &str = "http://www.w3.org/ns/shacl#";

names! {
    NODE_SHAPE = "NodeShape",
    PROPERTY_SHAPE = "PropertyShape",

    TARGET_CLASS = "targetClass",
    TARGET_NODE = "targetNode",
    TARGET_SUBJECTS_OF = "targetSubjectsOf",
    TARGET_OBJECTS_OF = "targetObjectsOf",

    PATH = "path",
    INVERSE_PATH = "inversePath",
    ALTERNATIVE_PATH = "alternativePath",
    ZERO_OR_MORE_PATH = "zeroOrMorePath",
    ONE_OR_MORE_PATH = "oneOrMorePath",
    ZERO_OR_ONE_PATH = "zeroOrOnePath",

    DEACTIVATED = "deactivated",
    SEVERITY = "severity",
    MESSAGE = "message",
    NAME = "name",
    DESCRIPTION = "description",
    ORDER = "order",
    GROUP = "group",
    DEFAULT_VALUE = "defaultValue",

    CLASS = "class",
    DATATYPE = "datatype",
    NODE_KIND = "nodeKind",
    MIN_COUNT = "minCount",
    MAX_COUNT = "maxCount",
    MIN_EXCLUSIVE = "minExclusive",
    MIN_INCLUSIVE = "minInclusive",
    MAX_EXCLUSIVE = "maxExclusive",
    MAX_INCLUSIVE = "maxInclusive",
    MIN_LENGTH = "minLength",
    MAX_LENGTH = "maxLength",
    PATTERN = "pattern",
    FLAGS = "flags",
    LANGUAGE_IN = "languageIn",
    UNIQUE_LANG = "uniqueLang",
    EQUALS = "equals",
    DISJOINT = "disjoint",
    LESS_THAN = "lessThan",
    LESS_THAN_OR_EQUALS = "lessThanOrEquals",
    NOT = "not",
    AND = "and",
    OR = "or",
    XONE = "xone",
    NODE = "node",
    PROPERTY = "property",
    QUALIFIED_VALUE_SHAPE = "qualifiedValueShape",
    QUALIFIED_MIN_COUNT = "qualifiedMinCount",
    QUALIFIED_MAX_COUNT = "qualifiedMaxCount",
    QUALIFIED_VALUE_SHAPES_DISJOINT = "qualifiedValueShapesDisjoint",
    CLOSED = "closed",
    IGNORED_PROPERTIES = "ignoredProperties",
    HAS_VALUE = "hasValue",
    IN = "in",

    IRI = "IRI",
    BLANK_NODE = "BlankNode",
    LITERAL = "Literal",
    BLANK_NODE_OR_IRI = "BlankNodeOrIRI",
    BLANK_NODE_OR_LITERAL = "BlankNodeOrLiteral",
    IRI_OR_LITERAL = "IRIOrLiteral",

    INFO = "Info",
    WARNING = "Warning",
    VIOLATION = "Violation",

    VALIDATION_REPORT = "ValidationReport",
    CONFORMS = "conforms",
    RESULT = "result",
    VALIDATION_RESULT = "ValidationResult",
    FOCUS_NODE = "focusNode",
    RESULT_PATH = "resultPath",
    VALUE = "value",
    SOURCE_SHAPE = "sourceShape",
    SOURCE_CONSTRAINT_COMPONENT = "sourceConstraintComponent",
    RESULT_SEVERITY = "resultSeverity",
    RESULT_MESSAGE = "resultMessage",
    DETAIL = "detail",

    CLASS_COMPONENT = "ClassConstraintComponent",
    DATATYPE_COMPONENT = "DatatypeConstraintComponent",
    NODE_KIND_COMPONENT = "NodeKindConstraintComponent",
    MIN_COUNT_COMPONENT = "MinCountConstraintComponent",
    MAX_COUNT_COMPONENT = "MaxCountConstraintComponent",
    MIN_EXCLUSIVE_COMPONENT = "MinExclusiveConstraintComponent",
    MIN_INCLUSIVE_COMPONENT = "MinInclusiveConstraintComponent",
    MAX_EXCLUSIVE_COMPONENT = "MaxExclusiveConstraintComponent",
    MAX_INCLUSIVE_COMPONENT = "MaxInclusiveConstraintComponent",
    MIN_LENGTH_COMPONENT = "MinLengthConstraintComponent",
    MAX_LENGTH_COMPONENT = "MaxLengthConstraintComponent",
    PATTERN_COMPONENT = "PatternConstraintComponent",
    LANGUAGE_IN_COMPONENT = "LanguageInConstraintComponent",
    UNIQUE_LANG_COMPONENT = "UniqueLangConstraintComponent",
    EQUALS_COMPONENT = "EqualsConstraintComponent",
    DISJOINT_COMPONENT = "DisjointConstraintComponent",
    LESS_THAN_COMPONENT = "LessThanConstraintComponent",
    LESS_THAN_OR_EQUALS_COMPONENT = "LessThanOrEqualsConstraintComponent",
    NOT_COMPONENT = "NotConstraintComponent",
    AND_COMPONENT = "AndConstraintComponent",
    OR_COMPONENT = "OrConstraintComponent",
    XONE_COMPONENT = "XoneConstraintComponent",
    NODE_COMPONENT = "NodeConstraintComponent",
    PROPERTY_COMPONENT = "PropertyConstraintComponent",
    QUALIFIED_MIN_COUNT_COMPONENT = "QualifiedMinCountConstraintComponent",
    QUALIFIED_MAX_COUNT_COMPONENT = "QualifiedMaxCountConstraintComponent",
    CLOSED_COMPONENT = "ClosedConstraintComponent",
    HAS_VALUE_COMPONENT = "HasValueConstraintComponent",
    IN_COMPONENT = "InConstraintComponent",
}

/// The parameters of the constraint components: a subject that has one of them
/// is a shape (SHACL §2.1).
pub(super) const PARAMETERS: &[oxigraph::model::NamedNodeRef<'static>] = &[
    CLASS,
    DATATYPE,
    NODE_KIND,
    MIN_COUNT,
    MAX_COUNT,
    MIN_EXCLUSIVE,
    MIN_INCLUSIVE,
    MAX_EXCLUSIVE,
    MAX_INCLUSIVE,
    MIN_LENGTH,
    MAX_LENGTH,
    PATTERN,
    FLAGS,
    LANGUAGE_IN,
    UNIQUE_LANG,
    EQUALS,
    DISJOINT,
    LESS_THAN,
    LESS_THAN_OR_EQUALS,
    NOT,
    AND,
    OR,
    XONE,
    NODE,
    PROPERTY,
    QUALIFIED_VALUE_SHAPE,
    QUALIFIED_MIN_COUNT,
    QUALIFIED_MAX_COUNT,
    QUALIFIED_VALUE_SHAPES_DISJOINT,
    CLOSED,
    IGNORED_PROPERTIES,
    HAS_VALUE,
    IN,
];

/// The properties that declare targets (SHACL §2.1.3).
pub(super) const TARGETS: &[oxigraph::model::NamedNodeRef<'static>] =
    &[TARGET_CLASS, TARGET_NODE, TARGET_SUBJECTS_OF, TARGET_OBJECTS_OF];

/// What else a shape may say about itself.
pub(super) const OTHERS: &[oxigraph::model::NamedNodeRef<'static>] =
    &[PATH, DEACTIVATED, SEVERITY, MESSAGE, NAME, DESCRIPTION, ORDER, GROUP, DEFAULT_VALUE];
