//! How deep triple terms lie in one another, watched while a file is read. A
//! term of a million levels takes a stack overflow to drop, and that takes the
//! process down; the parsers set no limit. Not for syntax: what is wrong with
//! a text is the parser's to say.

use crate::graph::DEEPEST;
use crate::rdf::GraphFormat;
use std::cell::Cell;
use std::io::{BufRead, BufReader, Error, ErrorKind, Read};
use std::rc::Rc;

/// Where the watcher is in the text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Between tokens.
    Free,
    /// After this byte, which may begin a longer mark.
    After(u8),
    /// In an IRI of the Turtle family, or a tag of XML.
    Angle,
    /// In a comment to the end of the line.
    Line,
    /// In a string: its quote, and whether three of them end it.
    String { quote: u8, long: bool },
    /// After a backslash in a string.
    Escape { quote: u8, long: bool },
    /// After so many opening quotes.
    Opening { quote: u8, count: u8 },
    /// After so many quotes that may close a long string.
    Closing { quote: u8, count: u8 },
    /// In a comment, a section or an instruction of XML, which this byte and
    /// `>` end.
    Section(u8),
    /// The same after that byte.
    SectionEnd(u8),
    /// In an attribute's value.
    Attribute(u8),
}

/// Elements of RDF/XML within elements, of which every second may be a triple
/// term, while long lists nest as deep in earnest. Dropping so many takes less
/// than half a stack of 2 MB; what is kept is held to [`DEEPEST`] after.
const DEEPEST_ELEMENT: usize = 10_000;

/// A reader that fails where a text nests too deep.
pub(super) struct Watched<R> {
    reader: BufReader<R>,
    /// Whether the format can nest terms, and if it is XML.
    xml: Option<bool>,
    place: Place,
    depth: usize,
    /// Line and column after what was handed on, both from 1. The parser of
    /// RDF/XML does not say where it failed; it gets one tag at a time, so
    /// that this is the end of what it failed on.
    position: Rc<Cell<(u64, u64)>>,
}

impl<R: Read> Watched<R> {
    pub(super) fn new(reader: R, format: GraphFormat) -> Self {
        let xml = match format {
            GraphFormat::JsonLd => None,
            GraphFormat::RdfXml => Some(true),
            _ => Some(false),
        };
        let reader = BufReader::with_capacity(1 << 16, reader);
        Self { reader, xml, place: Place::Free, depth: 0, position: Rc::new(Cell::new((1, 1))) }
    }

    /// Where the reader is, for XML: it goes on while this is read.
    pub(super) fn position(&self) -> Rc<Cell<(u64, u64)>> {
        Rc::clone(&self.position)
    }

    fn terse(&mut self, byte: u8) {
        self.place = match (self.place, byte) {
            (Place::After(b'<'), b'<') => {
                self.depth += 1;
                Place::Free
            }
            (Place::After(b'<') | Place::Angle, b'>') | (Place::Line, b'\n' | b'\r') => Place::Free,
            (Place::After(b'<') | Place::Angle, _) => Place::Angle,
            (Place::After(_), b'>') => {
                self.depth = self.depth.saturating_sub(1);
                Place::Free
            }
            (Place::String { quote, long }, b'\\') => Place::Escape { quote, long },
            (Place::String { quote, long: true }, b) if b == quote => {
                Place::Closing { quote, count: 1 }
            }
            // An unfinished string is the parser's error; here it only ends.
            (Place::String { quote, long: false }, b) if b == quote || b == b'\n' => Place::Free,
            (Place::Escape { quote, long }, _) => Place::String { quote, long },
            (Place::Opening { quote, count: 1 }, b) if b == quote => {
                Place::Opening { quote, count: 2 }
            }
            (Place::Opening { quote, count: 2 }, b) if b == quote => {
                Place::String { quote, long: true }
            }
            (Place::Opening { quote, count: 1 }, b'\\') => Place::Escape { quote, long: false },
            (Place::Opening { quote, count: 1 }, _) => Place::String { quote, long: false },
            (Place::Closing { quote, count }, b) if b == quote => {
                if count == 2 {
                    Place::Free
                } else {
                    Place::Closing { quote, count: 2 }
                }
            }
            (Place::Closing { quote, .. }, b'\\') => Place::Escape { quote, long: true },
            (Place::Closing { quote, .. }, _) => Place::String { quote, long: true },
            (Place::Free | Place::After(_) | Place::Opening { .. }, b) => match b {
                b'<' | b'>' => Place::After(b),
                b'#' => Place::Line,
                b'"' | b'\'' => Place::Opening { quote: b, count: 1 },
                _ => Place::Free,
            },
            (place, _) => place,
        };
    }

    fn xml(&mut self, byte: u8) {
        self.place = match (self.place, byte) {
            (Place::Free, b'<') => Place::After(b'<'),
            (Place::After(b'<'), b'/') => {
                self.depth = self.depth.saturating_sub(1);
                Place::Angle
            }
            (Place::After(b'<'), b'?') => Place::Section(b'?'),
            (Place::After(b'<'), b'!') => Place::After(b'!'),
            (Place::After(b'!'), b'-') => Place::Section(b'-'),
            (Place::After(b'!'), b'[') => Place::Section(b']'),
            (Place::After(b'!'), _) => Place::Angle,
            (Place::After(b'<'), _) => {
                self.depth += 1;
                Place::Angle
            }
            (Place::After(b'/'), b'>') => {
                self.depth = self.depth.saturating_sub(1);
                Place::Free
            }
            (Place::Angle | Place::After(_), b'"' | b'\'') => Place::Attribute(byte),
            (Place::Attribute(quote), b) if b == quote => Place::Angle,
            (Place::Angle | Place::After(_), b'/') => Place::After(b'/'),
            (Place::Angle | Place::After(_), b'>') => Place::Free,
            (Place::After(_), _) => Place::Angle,
            (Place::Section(end) | Place::SectionEnd(end), b) if b == end => Place::SectionEnd(end),
            (Place::SectionEnd(_), b'>') => Place::Free,
            (Place::SectionEnd(end), _) => Place::Section(end),
            (place, _) => place,
        };
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let Some(xml) = self.xml else { return self.reader.read(buffer) };
        let ahead = self.reader.fill_buf()?;
        let mut count = ahead.len().min(buffer.len());
        if xml && let Some(end) = ahead[..count].iter().position(|byte| *byte == b'>') {
            count = end + 1;
        }
        buffer[..count].copy_from_slice(&ahead[..count]);
        self.reader.consume(count);
        for byte in &buffer[..count] {
            if xml {
                self.xml(*byte);
                let (line, column) = self.position.get();
                self.position.set(match byte {
                    b'\n' => (line + 1, 1),
                    // Within a character.
                    0x80..=0xbf => (line, column),
                    _ => (line, column + 1),
                });
            } else {
                self.terse(*byte);
            }
            let (deepest, what) =
                if xml { (DEEPEST_ELEMENT, "elements") } else { (DEEPEST, "triple terms") };
            if self.depth > deepest {
                return Err(Error::new(
                    ErrorKind::InvalidData,
                    format!("{what} nested more than {deepest} deep are not read"),
                ));
            }
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn depth(text: &str, format: GraphFormat) -> usize {
        let mut watched = Watched::new(text.as_bytes(), format);
        let mut out = String::new();
        watched.read_to_string(&mut out).expect("shallow");
        assert_eq!(out, text, "every byte is handed on");
        watched.depth
    }

    #[test]
    fn only_open_triple_terms_count() {
        let turtle = |text: &str| depth(text, GraphFormat::Turtle);
        assert_eq!(turtle("<a> <b> <<( <a> <b> <<( <c>"), 2);
        assert_eq!(turtle("<a> <b> <<( <a> <b> 'c' )>> ; <p> << <a> <b> <c> >> ."), 0);
        for text in [
            "# << << <<\n<a> <b> <c>",
            r#"<a> <b> "<< \" <<""#,
            "<a> <b> ''",
            "<a> <b> '''<< ' '' << '''",
            r#"<a> <b> """<< \""" << """"#,
            "<a> <b> '<<' , \"\" , \"<<\"@en",
        ] {
            assert_eq!(turtle(text), 0, "{text}");
            assert_eq!(turtle(&format!("{text}\n << ")), 1, "{text}");
        }
    }

    #[test]
    fn only_open_elements_count() {
        let xml = |text| depth(text, GraphFormat::RdfXml);
        assert_eq!(xml("<?xml version='1.0'?><!DOCTYPE a><a><b c='>'/><d e=\"/>\">x</d>"), 1);
        assert_eq!(xml("<a><!-- </a> -- > </a> --><![CDATA[</a>]] ></a>]]>"), 1);
        assert_eq!(xml("<a/><a></a>"), 0);
    }

    #[test]
    fn xml_is_handed_on_tag_by_tag() {
        let mut watched = Watched::new("<a>\n<é/> </a>".as_bytes(), GraphFormat::RdfXml);
        let position = watched.position();
        for (part, place) in
            [("<a>", (1, 4)), ("\n<é/>", (2, 5)), (" </a>", (2, 10)), ("", (2, 10))]
        {
            let mut buffer = [0; 64];
            let count = watched.read(&mut buffer).expect("no error");
            assert_eq!((&buffer[..count], position.get()), (part.as_bytes(), place));
        }
    }

    #[test]
    fn what_nests_too_deep_is_not_read() {
        for (format, open) in
            [(GraphFormat::NTriples, "<<( <a> <b> "), (GraphFormat::RdfXml, "<a>")]
        {
            let text = open.repeat(DEEPEST_ELEMENT + 1);
            let error = std::io::read_to_string(Watched::new(text.as_bytes(), format))
                .expect_err("too deep");
            assert_eq!(error.kind(), ErrorKind::InvalidData);
        }
    }
}
