//! How to cite a record: in words, as BibTeX, RIS and CSL-JSON, from the same
//! facts, so that they agree.

use serde_json::{Value, json};
use std::fmt::Write;

/// What a citation is made from.
#[derive(Debug, Clone, Default)]
pub struct Citation {
    /// Unique among records: kind and slug.
    pub key: String,
    /// Its title.
    pub title: String,
    /// Who wrote it; empty where nobody is named.
    pub authors: Vec<String>,
    /// Who keeps it.
    pub container: String,
    /// When it came out or was last sourced: `yyyy`, `yyyy-mm` or `yyyy-mm-dd`.
    pub date: String,
    /// The permanent address.
    pub url: String,
    /// Its kind for people.
    pub genre: String,
    /// `Sourced`, `Unverified`, `Illustrative`, or empty.
    pub status: String,
}

impl Citation {
    fn year(&self) -> &str {
        self.date.get(..4).unwrap_or_default()
    }

    fn note(&self) -> String {
        match self.status.as_str() {
            "Illustrative" => {
                "Illustrative record, made up; not about a real organisation".to_owned()
            }
            "Unverified" => "Unverified record".to_owned(),
            _ => String::new(),
        }
    }

    /// As people write it.
    #[must_use]
    pub fn plain(&self) -> String {
        let year = self.year();
        let dated = if year.is_empty() { String::new() } else { format!(" ({year})") };
        let titled = format!("{} [{}]", self.title, self.genre);
        // Where nobody is named, the title stands in the author's place.
        let mut text = if self.authors.is_empty() {
            format!("{titled}{dated}. {}. {}", self.container, self.url)
        } else {
            format!(
                "{}{dated}. {titled}. {}. {}",
                self.authors.join(", "),
                self.container,
                self.url
            )
        };
        let note = self.note();
        if !note.is_empty() {
            let _ = write!(text, " ({note})");
        }
        text
    }

    /// BibTeX.
    #[must_use]
    pub fn bibtex(&self) -> String {
        let mut text = format!("@misc{{{},\n", self.key);
        let mut field = |name: &str, value: &str| {
            if !value.is_empty() {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "  {name} = {{{}}},", escape_tex(value));
            }
        };
        field("title", &self.title);
        field("author", &self.authors.join(" and "));
        field("howpublished", &self.container);
        field("year", self.year());
        field("type", &self.genre);
        field("url", &self.url);
        field("note", &self.note());
        text.push_str("}\n");
        text
    }

    /// RIS.
    #[must_use]
    pub fn ris(&self) -> String {
        let mut text = String::from("TY  - GEN\r\n");
        let mut field = |name: &str, value: &str| {
            if !value.is_empty() {
                let line: String = value.split_whitespace().collect::<Vec<_>>().join(" ");
                let _ = write!(text, "{name}  - {line}\r\n");
            }
        };
        field("TI", &self.title);
        for author in &self.authors {
            field("AU", author);
        }
        field("PB", &self.container);
        field("PY", self.year());
        field("DA", &self.date.replace('-', "/"));
        field("M3", &self.genre);
        field("UR", &self.url);
        field("N1", &self.note());
        text.push_str("ER  - \r\n");
        text
    }

    /// CSL-JSON.
    #[must_use]
    pub fn csl(&self) -> Value {
        let parts: Vec<u32> = self.date.split('-').filter_map(|part| part.parse().ok()).collect();
        let mut value = json!({
            "id": self.key, "type": "document", "title": self.title, "URL": self.url,
            "publisher": self.container, "genre": self.genre,
        });
        if !self.authors.is_empty() {
            let authors: Vec<Value> =
                self.authors.iter().map(|name| json!({ "literal": name })).collect();
            value["author"] = authors.into();
        }
        if !parts.is_empty() {
            value["issued"] = json!({ "date-parts": [parts] });
        }
        let note = self.note();
        if !note.is_empty() {
            value["note"] = note.into();
        }
        value
    }
}

fn escape_tex(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.split_whitespace().collect::<Vec<_>>().join(" ").chars() {
        match c {
            '\\' => out.push_str("\\textbackslash{}"),
            '{' | '}' | '%' | '&' | '#' | '$' | '_' => {
                out.push('\\');
                out.push(c);
            }
            '~' => out.push_str("\\textasciitilde{}"),
            '^' => out.push_str("\\textasciicircum{}"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_agree_and_escape() {
        let citation = Citation {
            key: "lesson-x".to_owned(),
            title: "50% & more {here}".to_owned(),
            authors: vec!["NHS England".to_owned()],
            container: "InSites learning".to_owned(),
            date: "2024-03-22".to_owned(),
            url: "https://w3id.org/insites/id/lesson/x".to_owned(),
            genre: "Lesson".to_owned(),
            status: "Illustrative".to_owned(),
        };
        assert_eq!(
            citation.plain(),
            "NHS England (2024). 50% & more {here} [Lesson]. InSites learning. \
             https://w3id.org/insites/id/lesson/x (Illustrative record, made up; not about a real \
             organisation)"
        );
        assert!(citation.bibtex().contains("title = {50\\% \\& more \\{here\\}}"));
        assert!(citation.ris().contains("TI  - 50% & more {here}\r\n"));
        assert_eq!(citation.csl()["issued"]["date-parts"][0][2], 22);
        let unnamed = Citation { title: "T".to_owned(), ..Citation::default() };
        assert!(unnamed.plain().starts_with("T ["), "{}", unnamed.plain());
        let dated =
            Citation { date: "2025-01".to_owned(), genre: "Lesson".to_owned(), ..unnamed.clone() };
        assert!(dated.plain().starts_with("T [Lesson] (2025). "), "{}", dated.plain());
        assert!(!unnamed.ris().contains("AU"));
    }
}
