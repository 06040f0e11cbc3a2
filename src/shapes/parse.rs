//! Reads a shapes graph into shapes, and refuses ill-formed ones. Not for
//! judging data.

use crate::shapes::affected::Reads;
use crate::shapes::constraint::{Constraint, NodeKind, Pattern, Qualified};
use crate::shapes::path::{Path, resource};
use crate::shapes::shape::{Remark, Severity, Shape, ShapeId, Shapes, Target};
use crate::shapes::source::Source;
use crate::shapes::{Error, vocabulary as sh};
use oxigraph::model::vocab::{rdf, rdfs, xsd};
use oxigraph::model::{Literal, NamedNode, NamedNodeRef, NamedOrBlankNode, Term, Triple};
use std::collections::{HashMap, HashSet};

/// OWL's word for class. A shape that is an `owl:Class` aims at its instances
/// like one that is an `rdfs:Class`, because `owl:Class` is a subclass of it.
const OWL_CLASS: NamedNodeRef<'_> =
    NamedNodeRef::new_unchecked("http://www.w3.org/2002/07/owl#Class");

impl Shapes {
    /// Reads the shapes of a shapes graph (SHACL §2). Other triples may be in
    /// it; its `rdfs:subClassOf` counts for the class hierarchy.
    ///
    /// # Errors
    ///
    /// When a shape is ill-formed.
    ///
    /// ```
    /// use insites::shapes::{Focus, Shapes, Triples, validate};
    /// use oxigraph::io::{RdfFormat, RdfParser};
    /// use oxigraph::model::Triple;
    ///
    /// let read = |text: &str| -> Vec<Triple> {
    ///     RdfParser::from_format(RdfFormat::Turtle)
    ///         .for_slice(text)
    ///         .map(|quad| quad.map(Triple::from))
    ///         .collect::<Result<_, _>>()
    ///         .expect("valid Turtle")
    /// };
    /// let shapes = Shapes::parse(read(
    ///     "PREFIX sh: <http://www.w3.org/ns/shacl#> PREFIX ex: <http://example.org/>
    ///      ex:Site a sh:NodeShape ; sh:targetClass ex:Site ;
    ///        sh:property [ sh:path ex:name ; sh:minCount 1 ] .",
    /// ))?;
    /// let data = Triples::from_iter(read("PREFIX ex: <http://example.org/> ex:a a ex:Site ."));
    /// let report = validate(&shapes, &data, Focus::All);
    /// assert_eq!(report.results[0].messages[0].value(), "needs at least 1 value of name");
    /// # Ok::<(), insites::shapes::Error>(())
    /// ```
    pub fn parse(triples: impl IntoIterator<Item = Triple>) -> Result<Self, Error> {
        let source = Source::new(triples);
        let mut parser = Parser { source: &source, nodes: Vec::new(), ids: HashMap::new() };
        for subject in source.subjects() {
            if parser.is_shape(subject) {
                parser.id(subject);
            }
        }
        let mut shapes = Vec::new();
        // Reading one shape may add others to the list.
        while let Some(node) = parser.nodes.get(shapes.len()).cloned() {
            shapes.push(parser.shape(node)?);
        }
        let remarks = shapes.iter().flat_map(|shape| parser.remarks(shape)).collect();
        let mut superclasses: HashMap<Term, Vec<Term>> = HashMap::new();
        let mut subclasses: HashMap<Term, Vec<Term>> = HashMap::new();
        for subject in source.subjects() {
            for class in source.objects(subject, rdfs::SUB_CLASS_OF) {
                let subject = Term::from(subject.clone());
                subclasses.entry(class.clone()).or_default().push(subject.clone());
                superclasses.entry(subject).or_default().push(class.clone());
            }
        }
        let reads = Reads::new(&shapes);
        Ok(Self { shapes, by_node: parser.ids, superclasses, subclasses, remarks, reads })
    }
}

struct Parser<'a> {
    source: &'a Source,
    nodes: Vec<NamedOrBlankNode>,
    ids: HashMap<NamedOrBlankNode, ShapeId>,
}

impl Parser<'_> {
    /// Whether a node is a shape by itself (SHACL §2.1), without being
    /// referred to.
    fn is_shape(&self, node: &NamedOrBlankNode) -> bool {
        self.source.about(node).iter().any(|(predicate, object)| {
            let predicate = predicate.as_ref();
            sh::PARAMETERS.contains(&predicate)
                || sh::TARGETS.contains(&predicate)
                || predicate == rdf::TYPE && is_any(object, &[sh::NODE_SHAPE, sh::PROPERTY_SHAPE])
        })
    }

    fn id(&mut self, node: &NamedOrBlankNode) -> ShapeId {
        *self.ids.entry(node.clone()).or_insert_with(|| {
            self.nodes.push(node.clone());
            ShapeId(self.nodes.len() - 1)
        })
    }

    fn shape(&mut self, node: NamedOrBlankNode) -> Result<Shape, Error> {
        let path = match self.one(&node, sh::PATH)? {
            Some(path) => Some(Path::parse(self.source, &node, &path)?),
            None if self
                .source
                .objects(&node, rdf::TYPE)
                .any(|t| is_any(t, &[sh::PROPERTY_SHAPE])) =>
            {
                return Err(incomplete(&node, rdf::TYPE, "sh:path"));
            }
            None => None,
        };
        let severity = match self.iri(&node, sh::SEVERITY)? {
            None => Severity::Violation,
            Some(iri) if iri.as_ref() == sh::VIOLATION => Severity::Violation,
            Some(iri) if iri.as_ref() == sh::WARNING => Severity::Warning,
            Some(iri) if iri.as_ref() == sh::INFO => Severity::Info,
            Some(iri) => Severity::Other(iri),
        };
        Ok(Shape {
            targets: self.targets(&node)?,
            constraints: self.constraints(&node, path.is_some())?,
            deactivated: self.flag(&node, sh::DEACTIVATED)?,
            severity,
            messages: self.literals(&node, sh::MESSAGE)?,
            names: self.literals(&node, sh::NAME)?,
            descriptions: self.literals(&node, sh::DESCRIPTION)?,
            order: self.literal(&node, sh::ORDER)?.and_then(|order| order.value().parse().ok()),
            group: self.source.object(&node, sh::GROUP).cloned(),
            default_value: self.source.object(&node, sh::DEFAULT_VALUE).cloned(),
            path,
            node,
        })
    }

    fn targets(&self, node: &NamedOrBlankNode) -> Result<Vec<Target>, Error> {
        let mut targets = Vec::new();
        targets.extend(self.source.objects(node, sh::TARGET_NODE).cloned().map(Target::Node));
        targets.extend(self.iris(node, sh::TARGET_CLASS)?.into_iter().map(Target::Class));
        targets
            .extend(self.iris(node, sh::TARGET_SUBJECTS_OF)?.into_iter().map(Target::SubjectsOf));
        targets.extend(self.iris(node, sh::TARGET_OBJECTS_OF)?.into_iter().map(Target::ObjectsOf));
        if let NamedOrBlankNode::NamedNode(class) = node
            && self.is_class(node)
            && !targets.contains(&Target::Class(class.clone()))
        {
            targets.push(Target::Class(class.clone()));
        }
        Ok(targets)
    }

    /// Whether a shape is a class too, and thereby aims at its instances
    /// (SHACL §2.1.3.3).
    fn is_class(&self, node: &NamedOrBlankNode) -> bool {
        let mut types: Vec<&Term> = self.source.objects(node, rdf::TYPE).collect();
        let mut seen = HashSet::new();
        while let Some(class) = types.pop() {
            if is_any(class, &[rdfs::CLASS, OWL_CLASS]) {
                return true;
            }
            if seen.insert(class)
                && let Some(class) = resource(class)
            {
                types.extend(self.source.objects(&class, rdfs::SUB_CLASS_OF));
            }
        }
        false
    }

    fn constraints(
        &mut self,
        node: &NamedOrBlankNode,
        is_property_shape: bool,
    ) -> Result<Vec<Constraint>, Error> {
        use Constraint as C;
        if !is_property_shape {
            let only_properties = [
                sh::MIN_COUNT,
                sh::MAX_COUNT,
                sh::UNIQUE_LANG,
                sh::LESS_THAN,
                sh::LESS_THAN_OR_EQUALS,
                sh::QUALIFIED_VALUE_SHAPE,
            ];
            for property in only_properties {
                if self.source.object(node, property).is_some() {
                    return Err(incomplete(node, property, "a property shape, one with sh:path"));
                }
            }
        }
        let mut all = Vec::new();
        all.extend(self.iris(node, sh::CLASS)?.into_iter().map(C::Class));
        all.extend(self.iri(node, sh::DATATYPE)?.map(C::Datatype));
        if let Some(kind) = self.one(node, sh::NODE_KIND)? {
            let Some(kind) = NodeKind::from_iri(&kind) else {
                return Err(wrong(node, sh::NODE_KIND, "one of the six node kinds", kind));
            };
            all.push(C::NodeKind(kind));
        }
        all.extend(self.count(node, sh::MIN_COUNT)?.map(C::MinCount));
        all.extend(self.count(node, sh::MAX_COUNT)?.map(C::MaxCount));
        all.extend(self.literal(node, sh::MIN_EXCLUSIVE)?.map(C::MinExclusive));
        all.extend(self.literal(node, sh::MIN_INCLUSIVE)?.map(C::MinInclusive));
        all.extend(self.literal(node, sh::MAX_EXCLUSIVE)?.map(C::MaxExclusive));
        all.extend(self.literal(node, sh::MAX_INCLUSIVE)?.map(C::MaxInclusive));
        all.extend(self.count(node, sh::MIN_LENGTH)?.map(C::MinLength));
        all.extend(self.count(node, sh::MAX_LENGTH)?.map(C::MaxLength));
        all.extend(self.pattern(node)?.map(C::Pattern));
        if let Some(list) = self.one(node, sh::LANGUAGE_IN)? {
            let mut ranges = Vec::new();
            for range in self.list(node, sh::LANGUAGE_IN, &list)? {
                let Term::Literal(range) = range else {
                    return Err(wrong(node, sh::LANGUAGE_IN, "a list of strings", range));
                };
                ranges.push(range.value().to_owned());
            }
            all.push(C::LanguageIn(ranges));
        }
        if self.flag(node, sh::UNIQUE_LANG)? {
            all.push(C::UniqueLang);
        }
        all.extend(self.iris(node, sh::EQUALS)?.into_iter().map(C::Equals));
        all.extend(self.iris(node, sh::DISJOINT)?.into_iter().map(C::Disjoint));
        all.extend(self.iris(node, sh::LESS_THAN)?.into_iter().map(C::LessThan));
        all.extend(self.iris(node, sh::LESS_THAN_OR_EQUALS)?.into_iter().map(C::LessThanOrEquals));
        all.extend(self.shapes(node, sh::NOT)?.into_iter().map(C::Not));
        all.extend(self.shape_lists(node, sh::AND)?.into_iter().map(C::And));
        all.extend(self.shape_lists(node, sh::OR)?.into_iter().map(C::Or));
        all.extend(self.shape_lists(node, sh::XONE)?.into_iter().map(C::Xone));
        all.extend(self.shapes(node, sh::NODE)?.into_iter().map(C::Node));
        for property in self.shapes(node, sh::PROPERTY)? {
            let shape = &self.nodes[property.0];
            if self.source.object(shape, sh::PATH).is_none() {
                return Err(wrong(node, sh::PROPERTY, "a shape with sh:path", shape.clone()));
            }
            all.push(C::Property(property));
        }
        self.qualified(node, &mut all)?;
        if self.flag(node, sh::CLOSED)? {
            all.push(C::Closed(self.allowed_properties(node)?));
        }
        all.extend(self.source.objects(node, sh::HAS_VALUE).cloned().map(C::HasValue));
        if let Some(list) = self.one(node, sh::IN)? {
            all.push(C::In(self.list(node, sh::IN, &list)?));
        }
        Ok(all)
    }

    fn pattern(&self, node: &NamedOrBlankNode) -> Result<Option<Pattern>, Error> {
        let Some(pattern) = self.literal(node, sh::PATTERN)? else { return Ok(None) };
        let flags = self.literal(node, sh::FLAGS)?;
        let flags = flags.as_ref().map_or("", |flags| flags.value());
        Pattern::new(pattern.value(), flags).map(Some).map_err(|reason| Error::Pattern {
            shape: node.clone(),
            pattern: pattern.value().to_owned(),
            reason,
        })
    }

    fn qualified(
        &mut self,
        node: &NamedOrBlankNode,
        into: &mut Vec<Constraint>,
    ) -> Result<(), Error> {
        let Some(own) = self.one(node, sh::QUALIFIED_VALUE_SHAPE)? else { return Ok(()) };
        let shape = self.shape_id(node, sh::QUALIFIED_VALUE_SHAPE, &own)?;
        let mut siblings = Vec::new();
        if self.flag(node, sh::QUALIFIED_VALUE_SHAPES_DISJOINT)? {
            for sibling in self.sibling_shapes(node, &own) {
                siblings.push(self.shape_id(node, sh::QUALIFIED_VALUE_SHAPE, &sibling)?);
            }
        }
        let min = self.count(node, sh::QUALIFIED_MIN_COUNT)?;
        let max = self.count(node, sh::QUALIFIED_MAX_COUNT)?;
        if min.is_none() && max.is_none() {
            let missing = "sh:qualifiedMinCount or sh:qualifiedMaxCount";
            return Err(incomplete(node, sh::QUALIFIED_VALUE_SHAPE, missing));
        }
        let qualified = |count| Qualified { shape, count, siblings: siblings.clone() };
        into.extend(min.map(qualified).map(Constraint::QualifiedMinCount));
        into.extend(max.map(qualified).map(Constraint::QualifiedMaxCount));
        Ok(())
    }

    /// The other qualified value shapes of the shapes that have this property
    /// shape (SHACL §4.7.3, "sibling shapes").
    fn sibling_shapes(&self, node: &NamedOrBlankNode, own: &Term) -> Vec<Term> {
        let this = Term::from(node.clone());
        let mut siblings = Vec::new();
        for parent in self.source.subjects() {
            if !self.source.objects(parent, sh::PROPERTY).any(|property| *property == this) {
                continue;
            }
            for property in self.source.objects(parent, sh::PROPERTY).filter_map(resource) {
                for shape in self.source.objects(&property, sh::QUALIFIED_VALUE_SHAPE) {
                    if shape != own && !siblings.contains(shape) {
                        siblings.push(shape.clone());
                    }
                }
            }
        }
        siblings
    }

    fn allowed_properties(&self, node: &NamedOrBlankNode) -> Result<Vec<NamedNode>, Error> {
        let mut allowed = Vec::new();
        for property in self.source.objects(node, sh::PROPERTY).filter_map(resource) {
            if let Some(Term::NamedNode(path)) = self.source.object(&property, sh::PATH) {
                allowed.push(path.clone());
            }
        }
        if let Some(list) = self.one(node, sh::IGNORED_PROPERTIES)? {
            for property in self.list(node, sh::IGNORED_PROPERTIES, &list)? {
                allowed.push(as_iri(node, sh::IGNORED_PROPERTIES, &property)?);
            }
        }
        Ok(allowed)
    }

    fn shape_id(
        &mut self,
        node: &NamedOrBlankNode,
        property: NamedNodeRef<'static>,
        value: &Term,
    ) -> Result<ShapeId, Error> {
        let shape = resource(value);
        let shape = shape.ok_or_else(|| wrong(node, property, "a shape", value.clone()))?;
        Ok(self.id(&shape))
    }

    fn shapes(
        &mut self,
        node: &NamedOrBlankNode,
        property: NamedNodeRef<'static>,
    ) -> Result<Vec<ShapeId>, Error> {
        let source = self.source;
        source.objects(node, property).map(|shape| self.shape_id(node, property, shape)).collect()
    }

    fn shape_lists(
        &mut self,
        node: &NamedOrBlankNode,
        property: NamedNodeRef<'static>,
    ) -> Result<Vec<Vec<ShapeId>>, Error> {
        let mut lists = Vec::new();
        let source = self.source;
        for list in source.objects(node, property) {
            let members = self.list(node, property, list)?;
            let ids = members.iter().map(|shape| self.shape_id(node, property, shape));
            lists.push(ids.collect::<Result<_, _>>()?);
        }
        Ok(lists)
    }

    fn one(
        &self,
        node: &NamedOrBlankNode,
        property: NamedNodeRef<'static>,
    ) -> Result<Option<Term>, Error> {
        let mut values = self.source.objects(node, property);
        let first = values.next().cloned();
        if values.next().is_some() {
            return Err(Error::Several { shape: node.clone(), property: property.into_owned() });
        }
        Ok(first)
    }

    fn iri(
        &self,
        node: &NamedOrBlankNode,
        property: NamedNodeRef<'static>,
    ) -> Result<Option<NamedNode>, Error> {
        self.one(node, property)?.map(|value| as_iri(node, property, &value)).transpose()
    }

    fn iris(
        &self,
        node: &NamedOrBlankNode,
        property: NamedNodeRef<'static>,
    ) -> Result<Vec<NamedNode>, Error> {
        self.source.objects(node, property).map(|value| as_iri(node, property, value)).collect()
    }

    fn literal(
        &self,
        node: &NamedOrBlankNode,
        property: NamedNodeRef<'static>,
    ) -> Result<Option<Literal>, Error> {
        self.one(node, property)?.map(|value| as_literal(node, property, &value)).transpose()
    }

    fn literals(
        &self,
        node: &NamedOrBlankNode,
        property: NamedNodeRef<'static>,
    ) -> Result<Vec<Literal>, Error> {
        self.source.objects(node, property).map(|value| as_literal(node, property, value)).collect()
    }

    fn count(
        &self,
        node: &NamedOrBlankNode,
        property: NamedNodeRef<'static>,
    ) -> Result<Option<u64>, Error> {
        let Some(count) = self.literal(node, property)? else { return Ok(None) };
        match count.value().parse() {
            Ok(number) if count.datatype() == xsd::INTEGER => Ok(Some(number)),
            _ => Err(wrong(node, property, "a whole number of at least 0", count)),
        }
    }

    /// Whether a property is `true`; no other literal will do, `"1"` neither
    /// (W3C test `uniqueLang-002`).
    fn flag(
        &self,
        node: &NamedOrBlankNode,
        property: NamedNodeRef<'static>,
    ) -> Result<bool, Error> {
        Ok(self
            .literal(node, property)?
            .is_some_and(|flag| flag.value() == "true" && flag.datatype() == xsd::BOOLEAN))
    }

    fn list(
        &self,
        node: &NamedOrBlankNode,
        property: NamedNodeRef<'static>,
        list: &Term,
    ) -> Result<Vec<Term>, Error> {
        self.source.list(list).ok_or_else(|| wrong(node, property, "a list", list.clone()))
    }

    fn remarks(&self, shape: &Shape) -> Vec<Remark> {
        let about = self.source.about(&shape.node);
        let remark = |text: String| Remark { shape: shape.node.clone(), text };
        if about.is_empty() {
            return vec![remark("is referred to but says nothing, so everything conforms".into())];
        }
        about
            .iter()
            .map(|(predicate, _)| predicate.as_ref())
            .filter(|predicate| {
                predicate.as_str().starts_with(sh::NAMESPACE)
                    && ![sh::PARAMETERS, sh::TARGETS, sh::OTHERS].concat().contains(predicate)
            })
            .map(|predicate| {
                remark(format!("{predicate} is not part of SHACL Core and is ignored"))
            })
            .collect()
    }
}

fn is_any(term: &Term, nodes: &[NamedNodeRef<'_>]) -> bool {
    matches!(term, Term::NamedNode(node) if nodes.contains(&node.as_ref()))
}

fn as_iri(
    node: &NamedOrBlankNode,
    property: NamedNodeRef<'static>,
    value: &Term,
) -> Result<NamedNode, Error> {
    match value {
        Term::NamedNode(iri) => Ok(iri.clone()),
        _ => Err(wrong(node, property, "an IRI", value.clone())),
    }
}

fn as_literal(
    node: &NamedOrBlankNode,
    property: NamedNodeRef<'static>,
    value: &Term,
) -> Result<Literal, Error> {
    match value {
        Term::Literal(literal) => Ok(literal.clone()),
        _ => Err(wrong(node, property, "a literal", value.clone())),
    }
}

fn wrong(
    shape: &NamedOrBlankNode,
    property: NamedNodeRef<'static>,
    expected: &'static str,
    value: impl Into<Term>,
) -> Error {
    let (shape, property) = (shape.clone(), property.into_owned());
    Error::Value { shape, property, expected, value: Box::new(value.into()) }
}

fn incomplete(
    shape: &NamedOrBlankNode,
    property: NamedNodeRef<'static>,
    missing: &'static str,
) -> Error {
    Error::Incomplete { shape: shape.clone(), property: property.into_owned(), missing }
}
