//! What a form or a program sends of an interview: multipart, URL-encoded or
//! JSON, as the same fields. Not for judging them.

use crate::capture::text::LARGEST_FILE;
use crate::http::error::Problem;
use crate::http::sparql::{pairs, take};
use crate::problem::Kind;
use axum::body::Bytes;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::header;
use serde_json::Value;

/// Most fields of one form.
const MOST_FIELDS: usize = 10_000;
/// Largest body that is no file (bytes): the longest text with its decisions.
const LARGEST_BODY: usize = LARGEST_FILE + (4 << 20);

/// The fields of a request.
#[derive(Debug, Default)]
pub(super) struct Sent {
    pub(super) fields: Vec<(String, String)>,
    /// Name and bytes of an uploaded file.
    pub(super) file: Option<(String, Bytes)>,
    /// Whether a program sent it.
    pub(super) json: bool,
}

impl Sent {
    /// The fields of a request, whatever its media type.
    pub(super) async fn read(request: Request) -> Result<Self, Problem> {
        let media_type = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_ascii_lowercase();
        if media_type.starts_with("multipart/form-data") {
            return Self::multipart(request).await;
        }
        let body = axum::body::to_bytes(request.into_body(), LARGEST_BODY).await.map_err(|_| {
            Problem::new(Kind::BodyTooLarge, format!("the body has more than {LARGEST_BODY} bytes"))
        })?;
        let text =
            std::str::from_utf8(&body).map_err(|_| Problem::parameter("the body is not UTF-8"))?;
        if media_type.starts_with("application/json") {
            return Self::json(text);
        }
        if media_type.starts_with("application/x-www-form-urlencoded") {
            return Ok(Self { fields: pairs(text)?, ..Self::default() });
        }
        Err(Problem::new(
            Kind::UnsupportedMediaType,
            format!(
                "{} is not understood here",
                if media_type.is_empty() { "a body without Content-Type" } else { &media_type }
            ),
        )
        .with_hint("send application/json, or a form (multipart/form-data)"))
    }

    async fn multipart(request: Request) -> Result<Self, Problem> {
        let wrong = |error: &dyn std::fmt::Display| {
            Problem::parameter(format!("the form could not be read: {error}"))
        };
        let mut parts = Multipart::from_request(request, &()).await.map_err(|e| wrong(&e))?;
        let mut sent = Self::default();
        let mut size = 0;
        while let Some(part) = parts.next_field().await.map_err(|e| wrong(&e.body_text()))? {
            let name = part.name().unwrap_or_default().to_owned();
            let file = part.file_name().map(str::to_owned);
            let bytes = part.bytes().await.map_err(|e| wrong(&e.body_text()))?;
            size += bytes.len();
            if size > LARGEST_BODY || sent.fields.len() >= MOST_FIELDS {
                return Err(Problem::new(
                    Kind::BodyTooLarge,
                    format!("the form has more than {LARGEST_BODY} bytes or {MOST_FIELDS} fields"),
                ));
            }
            match file {
                // A browser sends an empty file where none was chosen.
                Some(file) if file.is_empty() && bytes.is_empty() => {}
                Some(file) if name == "file" => sent.file = Some((file, bytes)),
                _ => {
                    let text = String::from_utf8(bytes.to_vec())
                        .map_err(|_| Problem::parameter(format!("{name} is not UTF-8")))?;
                    sent.fields.push((name, text));
                }
            }
        }
        Ok(sent)
    }

    fn json(text: &str) -> Result<Self, Problem> {
        let object: serde_json::Map<String, Value> = serde_json::from_str(text)
            .map_err(|error| Problem::parameter(format!("the body is no JSON object: {error}")))?;
        let mut fields = Vec::new();
        for (name, value) in object {
            match value {
                Value::Array(items) if name == "resolutions" => {
                    if items.len() > MOST_FIELDS / 5 {
                        let most = MOST_FIELDS / 5;
                        return Err(Problem::parameter(format!(
                            "there are more than {most} resolutions"
                        )));
                    }
                    for (number, item) in items.into_iter().enumerate() {
                        resolution(number, &item, &mut fields)?;
                    }
                }
                Value::Array(items) => {
                    for item in items {
                        fields.push((name.clone(), plain(&name, &item)?));
                    }
                }
                value => {
                    let text = plain(&name, &value)?;
                    fields.push((name, text));
                }
            }
        }
        Ok(Self { fields, json: true, ..Self::default() })
    }

    /// The first value of a field, without space around it.
    pub(super) fn field(&mut self, name: &str) -> String {
        take(&mut self.fields, name).into_iter().next().unwrap_or_default().trim().to_owned()
    }

    /// All values of a field.
    pub(super) fn all(&mut self, name: &str) -> Vec<String> {
        let mut values = take(&mut self.fields, name);
        values.retain(|value| !value.trim().is_empty());
        values
    }
}

fn plain(name: &str, value: &Value) -> Result<String, Problem> {
    Ok(match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(false) => String::new(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Number(number) => number.to_string(),
        other => return Err(Problem::parameter(format!("{name}={other} is not text"))),
    })
}

/// What a program decides about a find, as a form would send it:
/// `{"text": "Dr X", "replace": "[name]"}` or `{"text": "CM1 7ET", "keep": "why"}`.
fn resolution(
    number: usize,
    item: &Value,
    fields: &mut Vec<(String, String)>,
) -> Result<(), Problem> {
    let member = |name: &str| item.get(name).and_then(Value::as_str);
    let decided = match (member("text"), member("replace"), member("keep")) {
        (Some(text), Some(word), None) => (text, "replace", "with", word),
        (Some(text), None, Some(why)) => (text, "keep", "why", why),
        _ => {
            return Err(Problem::parameter(format!("the resolution {item} is not understood"))
                .with_hint("each has text, and either replace (a word) or keep (a reason)"));
        }
    };
    let (text, what, detail, value) = decided;
    for (name, value) in [("text", text), ("do", what), (detail, value)] {
        fields.push((format!("find-{number}-{name}"), value.to_owned()));
    }
    Ok(())
}
