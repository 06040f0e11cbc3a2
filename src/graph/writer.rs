//! Writes solutions and triples as they come from the engine, from the stored
//! bytes of a term straight into the answer: SPARQL 1.1 Query Results JSON, CSV
//! and TSV, N-Triples and N-Quads. Byte for byte what the libraries write, which
//! write all other formats.

use crate::graph::dataset::QueryDataset;
use crate::graph::dictionary::{AHEAD, encode};
use crate::graph::engine::Batch;
use crate::graph::evaluate::EvaluationError;
use crate::rdf::{GraphFormat, SolutionsFormat, TermId};
use oxigraph::io::{RdfSerializer, WriterQuadSerializer};
use oxigraph::model::{NamedOrBlankNode, Term, Triple, Variable};
use oxigraph::sparql::results::{QueryResultsSerializer, WriterSolutionsSerializer};
use std::io::{self, Write};

const XSD: &[u8] = b"http://www.w3.org/2001/XMLSchema#";
/// Bytes that are handed on at once.
const FULL: usize = 1 << 16;

/// A writer of solutions.
pub(super) struct SolutionWriter<'a> {
    format: Form<'a>,
    output: Output<'a>,
    dataset: &'a QueryDataset,
    variables: Vec<Variable>,
    slots: Vec<usize>,
    rows: u64,
}

enum Form<'a> {
    Json { keys: Vec<Vec<u8>> },
    Csv,
    Tsv,
    Xml(Box<WriterSolutionsSerializer<&'a mut dyn Write>>),
}

struct Output<'a> {
    buffer: Vec<u8>,
    to: Option<&'a mut dyn Write>,
}

impl<'a> Output<'a> {
    fn to(output: &'a mut dyn Write) -> Self {
        Self { buffer: Vec::with_capacity(FULL + (FULL >> 2)), to: Some(output) }
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(to) = &mut self.to {
            to.write_all(&self.buffer)?;
        }
        self.buffer.clear();
        Ok(())
    }
}

impl<'a> SolutionWriter<'a> {
    /// Begins an answer with these variables, each at its slot.
    pub(super) fn new(
        format: SolutionsFormat,
        variables: &[Variable],
        slots: &[usize],
        dataset: &'a QueryDataset,
        output: &'a mut dyn Write,
    ) -> io::Result<Self> {
        let mut buffer = Vec::with_capacity(FULL + (FULL >> 2));
        let mut to = None;
        let format = match format {
            SolutionsFormat::Json => {
                buffer.extend_from_slice(b"{\"head\":{\"vars\":[");
                for (at, variable) in variables.iter().enumerate() {
                    if at > 0 {
                        buffer.push(b',');
                    }
                    json_string(&mut buffer, variable.as_str().as_bytes());
                }
                buffer.extend_from_slice(b"]},\"results\":{\"bindings\":[");
                let key = |variable: &Variable| {
                    let mut key = Vec::new();
                    json_string(&mut key, variable.as_str().as_bytes());
                    key.push(b':');
                    key
                };
                to = Some(output);
                Form::Json { keys: variables.iter().map(key).collect() }
            }
            SolutionsFormat::Csv => {
                for (at, variable) in variables.iter().enumerate() {
                    if at > 0 {
                        buffer.push(b',');
                    }
                    buffer.extend_from_slice(variable.as_str().as_bytes());
                }
                buffer.extend_from_slice(b"\r\n");
                to = Some(output);
                Form::Csv
            }
            SolutionsFormat::Tsv => {
                for (at, variable) in variables.iter().enumerate() {
                    if at > 0 {
                        buffer.push(b'\t');
                    }
                    buffer.push(b'?');
                    buffer.extend_from_slice(variable.as_str().as_bytes());
                }
                buffer.push(b'\n');
                to = Some(output);
                Form::Tsv
            }
            SolutionsFormat::Xml => Form::Xml(Box::new(
                QueryResultsSerializer::from_format(format.results_format())
                    .serialize_solutions_to_writer(output, variables.to_vec())?,
            )),
        };
        Ok(Self {
            format,
            output: Output { buffer, to },
            dataset,
            variables: variables.to_vec(),
            slots: slots.to_vec(),
            rows: 0,
        })
    }

    /// Writes all rows of a batch.
    pub(super) fn write(&mut self, batch: &Batch) -> io::Result<()> {
        let mut computed = Vec::new();
        let ahead = (AHEAD / self.slots.len().max(1)).max(1);
        for row in 0..batch.len {
            if row % 1024 == 0 {
                crate::graph::look_at_budget();
            }
            if row % ahead == 0 {
                let rows = row..batch.len.min(row + ahead);
                let cells = rows.flat_map(|row| self.slots.iter().map(move |s| batch.get(*s, row)));
                self.dataset.read_ahead(cells);
            }
            let cells = self.slots.iter().map(|slot| batch.get(*slot, row));
            let buffer = &mut self.output.buffer;
            match &mut self.format {
                Form::Json { keys } => {
                    buffer.extend_from_slice(if self.rows > 0 { b",{" } else { b"{" });
                    let mut first = true;
                    for (key, id) in keys.iter().zip(cells) {
                        if id != 0 {
                            if !first {
                                buffer.push(b',');
                            }
                            first = false;
                            buffer.extend_from_slice(key);
                            json(buffer, bytes(self.dataset, id, &mut computed));
                        }
                    }
                    buffer.push(b'}');
                }
                Form::Csv => {
                    for (at, id) in cells.enumerate() {
                        if at > 0 {
                            buffer.push(b',');
                        }
                        if id != 0 {
                            csv(buffer, bytes(self.dataset, id, &mut computed));
                        }
                    }
                    buffer.extend_from_slice(b"\r\n");
                }
                Form::Tsv => {
                    for (at, id) in cells.enumerate() {
                        if at > 0 {
                            buffer.push(b'\t');
                        }
                        if id != 0 {
                            turtle(buffer, bytes(self.dataset, id, &mut computed), Syntax::Tsv);
                        }
                    }
                    buffer.push(b'\n');
                }
                Form::Xml(writer) => {
                    let terms: Vec<_> = self
                        .variables
                        .iter()
                        .zip(cells)
                        .filter(|(_, id)| *id != 0)
                        .map(|(variable, id)| (variable, self.dataset.term(id)))
                        .collect();
                    writer.serialize(terms.iter().map(|(v, t)| (v.as_ref(), t.as_ref())))?;
                }
            }
            self.rows += 1;
            if self.output.buffer.len() >= FULL {
                self.output.flush()?;
            }
        }
        Ok(())
    }

    /// Ends the answer.
    pub(super) fn finish(mut self) -> io::Result<u64> {
        match self.format {
            Form::Json { .. } => self.output.buffer.extend_from_slice(b"]}}"),
            Form::Csv | Form::Tsv => {}
            Form::Xml(writer) => {
                writer.finish()?;
            }
        }
        self.output.flush()?;
        Ok(self.rows)
    }
}

/// A writer of triples: N-Triples and N-Quads as they are stored, all else by
/// the library.
pub(super) struct TripleWriter<'a> {
    dataset: &'a QueryDataset,
    form: Triples<'a>,
}

enum Triples<'a> {
    Lines { output: Output<'a>, computed: Vec<u8>, count: u64 },
    Other { format: GraphFormat, writer: Box<WriterQuadSerializer<&'a mut dyn Write>> },
}

impl<'a> TripleWriter<'a> {
    /// Begins a graph.
    pub(super) fn new(
        format: GraphFormat,
        dataset: &'a QueryDataset,
        output: &'a mut dyn Write,
    ) -> Result<Self, EvaluationError> {
        let form = match format {
            GraphFormat::NTriples | GraphFormat::NQuads => {
                Triples::Lines { output: Output::to(output), computed: Vec::new(), count: 0 }
            }
            _ => Triples::Other { format, writer: Box::new(graph_writer(format, output)?) },
        };
        Ok(Self { dataset, form })
    }

    /// Writes a triple, given by the numbers of terms that can be one.
    pub(super) fn write(&mut self, triple: [TermId; 3]) -> Result<(), EvaluationError> {
        match &mut self.form {
            Triples::Lines { output, computed, count } => {
                if count.is_multiple_of(1024) {
                    crate::graph::look_at_budget();
                }
                *count += 1;
                for id in triple {
                    turtle(&mut output.buffer, bytes(self.dataset, id, computed), Syntax::Lines);
                    output.buffer.push(b' ');
                }
                output.buffer.extend_from_slice(b".\n");
                if output.buffer.len() >= FULL {
                    output.flush()?;
                }
            }
            Triples::Other { format, writer } => {
                let [s, p, o] = triple.map(|id| self.dataset.term(id));
                let subject = match s {
                    Term::NamedNode(iri) => NamedOrBlankNode::from(iri),
                    Term::BlankNode(node) => node.into(),
                    Term::Literal(_) | Term::Triple(_) => return Ok(()),
                };
                let Term::NamedNode(predicate) = p else { return Ok(()) };
                write_triple(writer, *format, &Triple::new(subject, predicate, o))?;
            }
        }
        Ok(())
    }

    /// Ends the graph.
    pub(super) fn finish(self) -> Result<(), EvaluationError> {
        match self.form {
            Triples::Lines { mut output, .. } => output.flush()?,
            Triples::Other { writer, .. } => drop(writer.finish()?),
        }
        Ok(())
    }
}

/// A writer of graphs by the library.
pub(super) fn graph_writer(
    format: GraphFormat,
    output: &mut dyn Write,
) -> Result<WriterQuadSerializer<&mut dyn Write>, EvaluationError> {
    let mut serializer = RdfSerializer::from_format(format.rdf_format());
    for (prefix, iri) in crate::rdf::prefixes() {
        serializer = serializer
            .with_prefix(*prefix, *iri)
            .map_err(|e| EvaluationError::Evaluation(e.to_string()))?;
    }
    Ok(serializer.for_writer(output))
}

/// Writes a triple by the library.
pub(super) fn write_triple(
    writer: &mut WriterQuadSerializer<&mut dyn Write>,
    format: GraphFormat,
    triple: &Triple,
) -> Result<(), EvaluationError> {
    if format == GraphFormat::JsonLd && triple.object.is_triple() {
        return Err(EvaluationError::NoTripleTerms);
    }
    writer.serialize_triple(triple)?;
    Ok(())
}

/// The two hexadecimal digits of a byte, of these.
fn hex(byte: u8, digits: &[u8; 16]) -> [u8; 2] {
    [byte >> 4, byte & 15].map(|bits| digits[usize::from(bits)])
}

/// The encoded form of a term, of the data or computed.
fn bytes<'b>(dataset: &'b QueryDataset, id: TermId, computed: &'b mut Vec<u8>) -> &'b [u8] {
    if let Some(bytes) = dataset.stored(id) {
        return bytes;
    }
    computed.clear();
    encode(dataset.term(id).as_ref(), computed);
    computed
}

/// Of `L` and `T`: what stands before the zero byte, and the value.
fn pair(rest: &[u8]) -> (&[u8], &[u8]) {
    let zero = rest.iter().position(|byte| *byte == 0).unwrap_or(rest.len());
    (&rest[..zero], rest.get(zero + 1..).unwrap_or_default())
}

/// The three terms of a triple term.
fn parts(mut rest: &[u8]) -> [&[u8]; 3] {
    std::array::from_fn(|_| {
        let Some((length, more)) = rest.split_first_chunk::<4>() else { return &[][..] };
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(0);
        let (part, more) = more.split_at(length.min(more.len()));
        rest = more;
        part
    })
}

/// Whether none of a text's bytes is one of these. Most texts have none, and
/// many bytes are looked at together.
fn has_none(text: &[u8], is_one: impl Fn(u8) -> bool) -> bool {
    let (blocks, rest) = text.as_chunks::<32>();
    let any = |bytes: &[u8]| bytes.iter().fold(false, |any, byte| any | is_one(*byte));
    !blocks.iter().any(|block| any(block)) && !any(rest)
}

fn json_string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    if has_none(text, |byte| matches!(byte, 0..0x20 | b'"' | b'\\')) {
        out.extend_from_slice(text);
        out.push(b'"');
        return;
    }
    let mut from = 0;
    for (at, byte) in text.iter().enumerate() {
        if !matches!(byte, 0..0x20 | b'"' | b'\\') {
            continue;
        }
        out.extend_from_slice(&text[from..at]);
        from = at + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            8 => out.extend_from_slice(b"\\b"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            12 => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            other => {
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&hex(*other, b"0123456789abcdef"));
            }
        }
    }
    out.extend_from_slice(&text[from..]);
    out.push(b'"');
}

fn json(out: &mut Vec<u8>, term: &[u8]) {
    let Some((tag, rest)) = term.split_first() else { return };
    match tag {
        b'I' => out.extend_from_slice(b"{\"type\":\"uri\",\"value\":"),
        b'B' => out.extend_from_slice(b"{\"type\":\"bnode\",\"value\":"),
        b'Q' => {
            out.extend_from_slice(b"{\"type\":\"triple\",\"value\":");
            let names = [&b"{\"subject\":"[..], b",\"predicate\":", b",\"object\":"];
            for (name, part) in names.into_iter().zip(parts(rest)) {
                out.extend_from_slice(name);
                json(out, part);
            }
            out.extend_from_slice(b"}}");
            return;
        }
        _ => out.extend_from_slice(b"{\"type\":\"literal\",\"value\":"),
    }
    match tag {
        b'L' => {
            let (language, value) = pair(rest);
            json_string(out, value);
            let (language, direction) = directed(language);
            out.extend_from_slice(b",\"xml:lang\":");
            json_string(out, language);
            if let Some(direction) = direction {
                out.extend_from_slice(b",\"its:dir\":");
                json_string(out, direction);
            }
        }
        b'T' => {
            let (datatype, value) = pair(rest);
            json_string(out, value);
            out.extend_from_slice(b",\"datatype\":");
            json_string(out, datatype);
        }
        _ => json_string(out, rest),
    }
    out.push(b'}');
}

/// The tag and the direction of a language.
fn directed(language: &[u8]) -> (&[u8], Option<&[u8]>) {
    for mark in [&b"--ltr"[..], b"--rtl"] {
        if let Some(language) = language.strip_suffix(mark) {
            return (language, Some(&mark[2..]));
        }
    }
    (language, None)
}

fn csv(out: &mut Vec<u8>, term: &[u8]) {
    let Some((tag, rest)) = term.split_first() else { return };
    match tag {
        b'I' => out.extend_from_slice(rest),
        b'B' => {
            out.extend_from_slice(b"_:");
            out.extend_from_slice(rest);
        }
        b'Q' => {
            for (at, part) in parts(rest).into_iter().enumerate() {
                if at > 0 {
                    out.push(b' ');
                }
                csv(out, part);
            }
        }
        tag => {
            let value = if *tag == b'S' { rest } else { pair(rest).1 };
            if has_none(value, |byte| matches!(byte, b'"' | b',' | b'\n' | b'\r')) {
                out.extend_from_slice(value);
            } else {
                out.push(b'"');
                for byte in value {
                    if *byte == b'"' {
                        out.push(b'"');
                    }
                    out.push(*byte);
                }
                out.push(b'"');
            }
        }
    }
}

/// The ways in which terms are written as in Turtle.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Syntax {
    /// SPARQL 1.1 Query Results TSV.
    Tsv,
    /// N-Triples and N-Quads (RDF 1.2 N-Triples §2).
    Lines,
}

fn turtle(out: &mut Vec<u8>, term: &[u8], syntax: Syntax) {
    let Some((tag, rest)) = term.split_first() else { return };
    match tag {
        b'I' => {
            out.push(b'<');
            out.extend_from_slice(rest);
            out.push(b'>');
        }
        b'B' => {
            out.extend_from_slice(b"_:");
            out.extend_from_slice(rest);
        }
        b'Q' => {
            out.extend_from_slice(b"<<( ");
            for part in parts(rest) {
                turtle(out, part, syntax);
                out.push(b' ');
            }
            out.extend_from_slice(b")>>");
        }
        b'L' => {
            let (language, value) = pair(rest);
            quoted(out, value, syntax);
            out.push(b'@');
            out.extend_from_slice(language);
        }
        b'T' => {
            let (datatype, value) = pair(rest);
            let is_bare = |name| syntax == Syntax::Tsv && is_bare(name, value);
            if datatype.strip_prefix(XSD).is_some_and(is_bare) {
                out.extend_from_slice(value);
            } else {
                quoted(out, value, syntax);
                out.extend_from_slice(b"^^<");
                out.extend_from_slice(datatype);
                out.push(b'>');
            }
        }
        _ => quoted(out, rest, syntax),
    }
}

fn quoted(out: &mut Vec<u8>, text: &[u8], syntax: Syntax) {
    let all = syntax == Syntax::Lines;
    let is_escaped = |byte| match byte {
        b'\t' | b'\n' | b'\r' | b'"' | b'\\' => true,
        byte => all && matches!(byte, 0..0x20 | 0x7f),
    };
    out.push(b'"');
    let mut from = 0;
    if !has_none(text, is_escaped) {
        for (at, byte) in text.iter().enumerate().filter(|(_, byte)| is_escaped(**byte)) {
            out.extend_from_slice(&text[from..at]);
            from = at + 1;
            match byte {
                b'\t' => out.extend_from_slice(b"\\t"),
                b'\n' => out.extend_from_slice(b"\\n"),
                b'\r' => out.extend_from_slice(b"\\r"),
                8 => out.extend_from_slice(b"\\b"),
                12 => out.extend_from_slice(b"\\f"),
                b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
                byte => {
                    out.extend_from_slice(b"\\u00");
                    out.extend_from_slice(&hex(*byte, b"0123456789ABCDEF"));
                }
            }
        }
    }
    out.extend_from_slice(&text[from..]);
    out.push(b'"');
}

/// Whether a literal is written without quotes and type (Turtle §6.5, rules 19
/// to 21 and 133s).
fn is_bare(datatype: &[u8], value: &[u8]) -> bool {
    let unsigned = value.strip_prefix(b"+").or_else(|| value.strip_prefix(b"-")).unwrap_or(value);
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let all_digits = |text: &[u8]| !text.is_empty() && digits(text) == text.len();
    match datatype {
        b"boolean" => matches!(value, b"true" | b"false"),
        b"integer" => all_digits(unsigned),
        b"decimal" => unsigned[digits(unsigned)..].strip_prefix(b".").is_some_and(all_digits),
        b"double" => {
            let before = digits(unsigned);
            let mut rest = &unsigned[before..];
            let mut after = 0;
            if let Some(fraction) = rest.strip_prefix(b".") {
                after = digits(fraction);
                rest = &fraction[after..];
            }
            let Some(exponent) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) else {
                return false;
            };
            let exponent = exponent
                .strip_prefix(b"+")
                .or_else(|| exponent.strip_prefix(b"-"))
                .unwrap_or(exponent);
            before + after > 0 && all_digits(exponent)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::graph::{Budget, Dictionary, Format, Quads, ReadQuery, Scope, Snapshot};
    use crate::rdf::{GraphFormat, SolutionsFormat};
    use std::time::Duration;

    /// Terms of all kinds, and characters that each format writes in its own
    /// way, against the serialisers of `sparesults`.
    #[test]
    fn answers_are_byte_for_byte_those_of_the_library() {
        let xsd = "http://www.w3.org/2001/XMLSchema#";
        let mut objects: Vec<String> = [
            "<x:b>",
            "_:b",
            "\"\"",
            "\"a,b\"",
            "\"tab\\tline\\nreturn\\rquote\\\"slash\\\\\"",
            "\"été ☃ 😀\"",
            "\"low\\u0001\\u000B\\u007F\\b\\f\"",
            "\"<&>\"",
            "\"a\"@en",
            "\"a\"@ar--rtl",
            "\"a\"@he--ltr",
            "<<( <x:s> <x:p> \"o,\\t\"@en )>>",
            "<<( _:b <x:p> <<( <x:s> <x:q> 1 )>> )>>",
        ]
        .map(str::to_owned)
        .to_vec();
        for (value, datatype) in [
            ("1", "integer"),
            ("+01", "integer"),
            ("1.", "integer"),
            ("1.5", "decimal"),
            (".5", "decimal"),
            ("5.", "decimal"),
            ("1e5", "double"),
            (".5e-3", "double"),
            ("1.e5", "double"),
            ("INF", "double"),
            ("e5", "double"),
            ("true", "boolean"),
            ("1", "boolean"),
            ("2024-01-01", "date"),
        ] {
            objects.push(format!("\"{value}\"^^<{xsd}{datatype}>"));
        }
        let statement = |(at, object)| format!("<x:s{at:02}> <x:p> {object} . ");
        let data = objects.iter().enumerate().map(statement).collect::<Vec<_>>().concat();
        let data = data + "_:b <x:p> _:c . _:c <x:p> _:b , <x:s01> .";
        let empty = Snapshot::default();
        let mut dictionary = Dictionary::default();
        let ids: Vec<_> = oxigraph::io::RdfParser::from_format(oxigraph::io::RdfFormat::Turtle)
            .for_slice(&data)
            .map(|quad| empty.number(&mut dictionary, &quad.expect("well-formed")))
            .collect();
        assert_eq!(ids.len(), objects.len() + 3);
        let snapshot = Snapshot::new(dictionary, Quads::from_quads(&ids));
        let solutions = SolutionsFormat::ALL.map(Format::Solutions);
        let graphs = [GraphFormat::NTriples, GraphFormat::NQuads].map(Format::Graph);
        for (text, formats) in [
            ("SELECT ?s ?o ?none { ?s <x:p> ?o } ORDER BY ?s", &solutions[..]),
            ("SELECT ?o { ?s <x:p> ?o } ORDER BY ?s", &solutions),
            ("SELECT ?none { ?s <x:p> ?o }", &solutions),
            ("SELECT ?s ?o { ?s <x:q> ?o }", &solutions),
            ("SELECT (CONCAT(STR(?o), \",\") AS ?made) { ?s <x:p> ?o } ORDER BY ?s", &solutions),
            ("CONSTRUCT { ?s <x:q> ?o . ?o <x:r> ?s } { ?s <x:p> ?o }", &graphs),
            ("CONSTRUCT { ?s ?made ?s } { ?s <x:p> ?o BIND(UCASE(?o) AS ?made) }", &graphs),
            ("DESCRIBE <x:s01> <x:s05> <x:none>", &graphs),
            ("DESCRIBE ?s ?o { ?s <x:p> ?o }", &graphs),
            ("DESCRIBE * { ?s <x:p> ?o } ORDER BY ?s LIMIT 3", &graphs),
            ("CONSTRUCT { ?s <x:q> ?made } { ?s <x:p> ?o BIND(UCASE(?o) AS ?made) }", &graphs),
        ] {
            for format in formats {
                let query = ReadQuery::parse(text, None).expect("a query");
                let budget = Budget::new(Duration::from_secs(60), 1 << 30);
                let (scope, format) = (Scope::default(), *format);
                let (mut ours, mut theirs) = (Vec::new(), Vec::new());
                let count = snapshot.write_answer(&query, &scope, format, &budget, &mut ours);
                let other = snapshot.write_answer_by_evaluator(
                    &query,
                    &scope,
                    format,
                    &budget,
                    &mut theirs,
                );
                assert_eq!(count.expect("an answer"), other.expect("an answer"));
                let shown = |bytes: Vec<u8>| {
                    let text = String::from_utf8(bytes).expect("UTF-8");
                    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
                    // A graph has no order.
                    if matches!(format, Format::Graph(_)) {
                        lines.sort_unstable();
                    }
                    lines
                };
                assert_eq!(shown(ours), shown(theirs), "{text} as {format:?}");
            }
        }
    }
}
