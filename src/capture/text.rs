//! Reads the words of an uploaded file: plain text, Markdown, Word. Everything
//! in a file is hostile until it is read: sizes are bounded, and what is no
//! text is told by name. Not for spreadsheets.

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};
use std::io::{BufReader, Cursor, Read};
use zip::ZipArchive;

/// Largest file that is read (bytes): a transcript of some hours with pictures.
pub const LARGEST_FILE: usize = 8 << 20;
/// Largest text that a file may hold (bytes): about ten hours of talk.
pub const LARGEST_TEXT: usize = 1 << 20;
/// Most that the text part of a Word file may hold unpacked (bytes).
const LARGEST_PART: u64 = 32 << 20;
/// Most files within a Word file.
const MOST_PARTS: usize = 2_000;

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is too large.
    #[error("the file has {0} bytes; the limit is {LARGEST_FILE}")]
    TooLarge(usize),
    /// Its text is too long.
    #[error(
        "the file holds more text than {LARGEST_TEXT} bytes\nhint: split it into several interviews"
    )]
    TooLong,
    /// The ending is none of those that are read.
    #[error("{0} is no .txt, .md or .docx file")]
    Ending(String),
    /// The content is something else than the ending says.
    #[error(
        "the file is {0}, not what its ending says\nhint: save it as .docx or .txt, or paste the text"
    )]
    Other(&'static str),
    /// The bytes are no text.
    #[error("the file is no text: byte {0} is a control character")]
    NotText(usize),
    /// A Word file that cannot be opened.
    #[error("the Word file is damaged: {0}")]
    Damaged(String),
    /// A Word file with a password.
    #[error("the Word file is encrypted\nhint: save it without a password")]
    Encrypted,
    /// A Word file with macros.
    #[error("the Word file holds macros\nhint: save it as .docx without macros")]
    Macros,
    /// A Word file that unpacks to more than any transcript needs.
    #[error("the Word file unpacks to more than {LARGEST_PART} bytes or {MOST_PARTS} parts")]
    Bomb,
    /// There are no words in it.
    #[error("there is no text in the file")]
    Empty,
}

/// The words of a file, by its name and bytes. Paragraphs of a Word file stand
/// apart by an empty line.
///
/// # Errors
///
/// When the file is too large, no text, or not what its ending says.
pub fn read(name: &str, bytes: &[u8]) -> Result<String, Error> {
    if bytes.len() > LARGEST_FILE {
        return Err(Error::TooLarge(bytes.len()));
    }
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    let text = match ending.as_deref() {
        Some("txt") => plain(bytes)?,
        Some("md" | "markdown") => without_marks(&plain(bytes)?),
        Some("docx") => word(bytes)?,
        _ => {
            let shown: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
            return Err(Error::Ending(if shown.is_empty() {
                "a file without a name".to_owned()
            } else {
                shown
            }));
        }
    };
    if text.len() > LARGEST_TEXT {
        return Err(Error::TooLong);
    }
    if text.chars().any(char::is_alphanumeric) { Ok(text) } else { Err(Error::Empty) }
}

/// What a file is by its first bytes, if that is nothing we read.
fn other(bytes: &[u8]) -> Option<&'static str> {
    let kinds: [(&[u8], &str); 8] = [
        (b"%PDF", "a PDF"),
        (b"\xD0\xCF\x11\xE0", "a Word file of the old kind (.doc) or one with a password"),
        (b"PK\x03\x04", "a packed file"),
        (b"{\\rtf", "a rich-text file"),
        (b"\x89PNG", "a picture"),
        (b"\xFF\xD8\xFF", "a picture"),
        (b"RIFF", "a recording"),
        (b"ID3", "a recording"),
    ];
    kinds.iter().find(|(start, _)| bytes.starts_with(start)).map(|(_, kind)| *kind)
}

/// UTF-8, UTF-16 with its mark, or else Windows-1252, in which older programs
/// write.
fn plain(bytes: &[u8]) -> Result<String, Error> {
    if let Some(kind) = other(bytes) {
        return Err(Error::Other(kind));
    }
    let text = if let Some((encoding, mark)) = encoding_rs::Encoding::for_bom(bytes) {
        encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned()
    } else {
        match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(),
        }
    };
    let control = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}' | '\u{b}')) || c == '\u{fffd}'
    };
    match text.char_indices().find(|(_, c)| control(*c)) {
        Some((at, _)) => Err(Error::NotText(at)),
        None => Ok(text),
    }
}

/// Markdown without the marks that say how it looks.
fn without_marks(text: &str) -> String {
    let mut lines = Vec::new();
    let mut code = false;
    for line in text.lines() {
        let trimmed = line.trim_start();
        if trimmed.starts_with("```") {
            code = !code;
            continue;
        }
        if code {
            lines.push(line.to_owned());
            continue;
        }
        let heading = trimmed.trim_start_matches('#');
        let is_heading = heading.len() < trimmed.len() && heading.starts_with(' ');
        let body = if is_heading { heading.trim() } else { line };
        let body = body.trim_start_matches("> ").replace("**", "").replace("__", "");
        if is_heading {
            lines.extend([String::new(), body, String::new()]);
        } else {
            lines.push(body);
        }
    }
    lines.join("\n")
}

/// The words of a Word file.
fn word(bytes: &[u8]) -> Result<String, Error> {
    if bytes.starts_with(b"\xD0\xCF\x11\xE0") {
        return Err(Error::Other("a Word file of the old kind (.doc) or one with a password"));
    }
    if !bytes.starts_with(b"PK") {
        return Err(Error::Other(other(bytes).unwrap_or("no Word file")));
    }
    let damaged = |error: &dyn std::fmt::Display| Error::Damaged(error.to_string());
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(&error))?;
    if archive.len() > MOST_PARTS {
        return Err(Error::Bomb);
    }
    let names: Vec<String> =
        archive.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
    let has = |wanted: &str| names.iter().any(|name| name.eq_ignore_ascii_case(wanted));
    if has("word/vbaProject.bin") {
        return Err(Error::Macros);
    }
    let Some(main) = names.iter().find(|name| name.eq_ignore_ascii_case("word/document.xml"))
    else {
        return Err(Error::Other(if has("xl/workbook.xml") {
            "a spreadsheet"
        } else if has("ppt/presentation.xml") {
            "a presentation"
        } else if has("content.xml") {
            "an OpenDocument file"
        } else {
            "a packed file"
        }));
    };
    let part = match archive.by_name(main) {
        Ok(part) => part,
        Err(zip::result::ZipError::UnsupportedArchive(why)) if why.contains("assword") => {
            return Err(Error::Encrypted);
        }
        Err(error) => return Err(damaged(&error)),
    };
    // What the directory says of the size may be a lie: what comes out is counted.
    if part.size() > LARGEST_PART {
        return Err(Error::Bomb);
    }
    let mut limited = part.take(LARGEST_PART + 1);
    let text = words(&mut limited);
    if limited.limit() == 0 {
        return Err(Error::Bomb);
    }
    text
}

/// The words within the XML of a Word file. Deleted text, field codes, the far
/// end of moved text and what stands for old programs are left out; comments,
/// headers and footers are other parts and are not read.
fn words(source: impl Read) -> Result<String, Error> {
    let damaged = |error: &dyn std::fmt::Display| Error::Damaged(error.to_string());
    let mut reader = Reader::from_reader(BufReader::new(source));
    let mut buffer = Vec::new();
    let mut text = String::new();
    let mut in_text = false;
    // Depth within an element that is left out.
    let mut left_out = 0_usize;
    loop {
        buffer.clear();
        let event = reader.read_event_into(&mut buffer).map_err(|error| damaged(&error))?;
        match event {
            Event::Start(_) if left_out > 0 => left_out += 1,
            Event::End(_) if left_out > 0 => left_out -= 1,
            _ if left_out > 0 && !matches!(event, Event::Eof) => {}
            Event::Start(start) => match start.local_name().as_ref() {
                "t" => in_text = true,
                "moveFrom" | "Fallback" | "tabs" | "instrText" | "delText" | "del" => left_out = 1,
                _ => {}
            },
            Event::Empty(empty) => match empty.local_name().as_ref() {
                "tab" => text.push(' '),
                "br" | "cr" => text.push('\n'),
                "noBreakHyphen" => text.push('-'),
                "p" => text.push_str("\n\n"),
                _ => {}
            },
            Event::End(end) => match end.local_name().as_ref() {
                "t" => in_text = false,
                "p" => text.push_str("\n\n"),
                _ => {}
            },
            Event::Text(part) if in_text => text.push_str(&part),
            Event::CData(part) if in_text => text.push_str(&part),
            Event::GeneralRef(reference) if in_text => text.push_str(&character(&reference)?),
            // Word writes none; one could name entities that unfold without end.
            Event::DocType(_) => {
                return Err(Error::Damaged("it declares a document type".to_owned()));
            }
            Event::Eof => break,
            _ => {}
        }
        if text.len() > LARGEST_TEXT {
            return Err(Error::TooLong);
        }
    }
    Ok(text.trim().to_owned())
}

/// The character that a reference stands for: `&amp;`, `&#233;`.
fn character(reference: &BytesRef<'_>) -> Result<String, Error> {
    let damaged = |error: &dyn std::fmt::Display| Error::Damaged(error.to_string());
    if let Some(c) = reference.resolve_char_ref().map_err(|error| damaged(&error))? {
        return Ok(if c.is_control() && c != '\n' && c != '\t' {
            String::new()
        } else {
            c.to_string()
        });
    }
    let name: &str = reference;
    quick_xml::escape::resolve_predefined_entity(name)
        .map(str::to_owned)
        .ok_or_else(|| Error::Damaged(format!("it names the entity {name}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    fn packed(parts: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in parts {
            writer.start_file(*name, SimpleFileOptions::default()).expect("a part");
            writer.write_all(bytes).expect("written");
        }
        writer.finish().expect("finished").into_inner()
    }

    fn docx(body: &str) -> Vec<u8> {
        let xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\" xmlns:mc=\"http://x/mc\"><w:body>{body}</w:body></w:document>"
        );
        packed(&[("[Content_Types].xml", b"<Types/>"), ("word/document.xml", xml.as_bytes())])
    }

    fn p(text: &str) -> String {
        format!(
            "<w:p><w:pPr><w:tabs><w:tab w:val=\"left\"/></w:tabs></w:pPr><w:r><w:t xml:space=\"preserve\">{text}</w:t></w:r></w:p>"
        )
    }

    #[test]
    fn a_word_file_gives_its_paragraphs() {
        let bytes = docx(&format!(
            "{}{}<w:p><w:r><w:t>split </w:t></w:r><w:r><w:t>run</w:t><w:br/><w:t>next line</w:t><w:tab/><w:t>tab</w:t></w:r></w:p>",
            p("Interviewer: Why?"),
            p("Caf&#233; &amp; &lt;tea&gt;")
        ));
        assert_eq!(
            read("Interview.DOCX", &bytes).expect("read"),
            "Interviewer: Why?\n\nCafé & <tea>\n\nsplit run\nnext line tab"
        );
    }

    #[test]
    fn what_is_not_said_is_left_out() {
        let bytes = docx(
            "<w:p><w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:moveFrom><w:r><w:t>moved</w:t></w:r></w:moveFrom>\
             <w:r><w:instrText>HYPERLINK x</w:instrText></w:r><mc:AlternateContent><mc:Choice><w:r><w:t>shown</w:t></w:r></mc:Choice>\
             <mc:Fallback><w:r><w:t>twice</w:t></w:r></mc:Fallback></mc:AlternateContent></w:p>",
        );
        assert_eq!(read("a.docx", &bytes).expect("read"), "shown");
    }

    #[test]
    fn plain_text_in_its_encodings() {
        assert_eq!(read("a.txt", "Café".as_bytes()).expect("read"), "Café");
        assert_eq!(read("a.txt", b"\xEF\xBB\xBFCaf\xC3\xA9").expect("read"), "Café");
        assert_eq!(read("a.txt", b"\xFF\xFEh\0i\0").expect("read"), "hi");
        assert_eq!(read("a.txt", b"Caf\xE9 \x93so\x94").expect("read"), "Café “so”");
        assert_eq!(
            read("a.md", b"# Head\n> said **this**\n```\n# code\n```").expect("read").trim(),
            "Head\n\nsaid this\n# code"
        );
    }

    #[track_caller]
    fn refused(name: &str, bytes: &[u8], why: &str) {
        let text = read(name, bytes).expect_err("refused").to_string();
        assert!(text.contains(why), "{name}: {text}");
    }

    #[test]
    fn wrong_files_are_told_by_name() {
        refused("a.doc", b"x", "a.doc is no .txt");
        refused("a", b"x", "a is no .txt");
        refused("", b"x", "a file without a name");
        refused("a.docx", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "old kind (.doc)");
        refused("a.docx", b"hello", "no Word file");
        refused("a.docx", b"%PDF-1.7", "a PDF");
        refused("a.txt", b"%PDF-1.7", "a PDF");
        refused("a.txt", &docx(&p("x")), "a packed file");
        refused("a.txt", b"a\0b", "control character");
        refused("a.txt", b"", "no text in the file");
        refused("a.txt", b" \n\n--", "no text in the file");
        refused("a.docx", b"PK\x03\x04broken", "damaged");
        refused("a.docx", &packed(&[("xl/workbook.xml", b"<x/>")]), "a spreadsheet");
        refused("a.docx", &packed(&[("content.xml", b"<x/>")]), "OpenDocument");
        refused("a.docx", &packed(&[("x", b"y")]), "a packed file");
        refused("a.docx", &docx(""), "no text in the file");
        refused("a.docx", &packed(&[("word/document.xml", b"<w:p><w:t>x</w:p>")]), "damaged");
        refused(
            "a.docx",
            &packed(&[("word/document.xml", b"<w:p/>"), ("word/vbaProject.bin", b"x")]),
            "macros",
        );
        refused("a.txt", &vec![b'a'; LARGEST_FILE + 1], "the limit is");
        refused("a.txt", &vec![b'a'; LARGEST_TEXT + 1], "more text than");
    }

    #[test]
    fn bombs_do_not_go_off() {
        // A gigabyte would take a megabyte: this stops long before.
        let paragraph = format!("<w:p>{}</w:p>", "<w:r></w:r>".repeat(1_000)).into_bytes();
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file("word/document.xml", SimpleFileOptions::default()).expect("a part");
        writer.write_all(b"<w:document>").expect("written");
        for _ in 0..5_000 {
            writer.write_all(&paragraph).expect("written");
        }
        let bytes = writer.finish().expect("finished").into_inner();
        assert!(bytes.len() < 1 << 20, "{}", bytes.len());
        refused("a.docx", &bytes, "unpacks to more");
        refused("a.docx", &docx(&p(&"word ".repeat(300_000))), "more text than");
        let entity = b"<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\">]><w:p><w:t>&a;</w:t></w:p>";
        refused("a.docx", &packed(&[("word/document.xml", entity)]), "document type");
        let unknown = docx(&p("&a;"));
        refused("a.docx", &unknown, "entity a");
        let many: Vec<(String, Vec<u8>)> =
            (0..=MOST_PARTS).map(|n| (format!("x{n}"), Vec::new())).collect();
        let many: Vec<(&str, &[u8])> =
            many.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
        refused("a.docx", &packed(&many), "parts");
        // Deep nesting is counted, not followed.
        let deep =
            docx(&format!("{}<w:t>x</w:t>{}", "<w:p>".repeat(50_000), "</w:p>".repeat(50_000)));
        assert_eq!(read("a.docx", &deep).expect("read"), "x");
    }

    #[test]
    fn a_size_that_lies_is_found_out() {
        let mut bytes = docx(&p("hello"));
        // The size after unpacking, in the central directory of the last part.
        let at = bytes.windows(4).rposition(|w| w == b"PK\x01\x02").expect("a directory");
        bytes[at + 24..at + 28].copy_from_slice(&1_u32.to_le_bytes());
        let _ = read("a.docx", &bytes);
        // Cut off anywhere, it is an error or less text, never a panic.
        for end in (0..bytes.len()).step_by(7) {
            let _ = read("a.docx", &bytes[..end]);
        }
    }
}
