//! `/assets/{file}`: styles and scripts built into the program, kept by
//! browsers for ever since their names hold their hash; and the colours of this
//! service, from its settings.

use crate::http::error::Problem;
use crate::http::records::entity_tag;
use crate::http::{Shared, State};
use crate::pages;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};

const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// `/assets/{file}`.
pub(super) async fn asset(
    Shared(state): Shared<State>,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Some(response) = brand(&state, &file) {
        return Ok(response);
    }
    let asset = pages::assets()
        .iter()
        .find(|asset| asset.file == file)
        .ok_or_else(|| Problem::not_found("there is no such file"))?;
    let gzip = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .is_some_and(accepts_gzip);
    let mut response = Response::new(Body::from(if gzip { asset.gzip } else { asset.bytes }));
    let fields = response.headers_mut();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.media_type));
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static(FOR_EVER));
    fields.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    fields.insert(header::ETAG, entity_tag(asset.bytes));
    if gzip {
        fields.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}

/// The stylesheet with the colour from the settings.
fn brand(state: &State, file: &str) -> Option<Response> {
    let colour = state.config.brand_colour.as_ref()?;
    if file != format!("brand-{}.css", colour.trim_start_matches('#')) {
        return None;
    }
    let fields =
        [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, FOR_EVER)];
    Some((fields, format!(":root{{--brand:{colour}}}\n")).into_response())
}

/// Whether a list of encodings has gzip, and not with `q=0`.
pub(super) fn accepts_gzip(value: &str) -> bool {
    value.split(',').any(|part| {
        let mut words = part.split(';').map(str::trim);
        let named = words.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        named
            && !words.any(|word| {
                word.strip_prefix("q=").is_some_and(|q| q.parse::<f32>().is_ok_and(|q| q <= 0.0))
            })
    })
}

#[cfg(test)]
mod tests {
    use super::accepts_gzip;

    #[test]
    fn gzip_may_be_refused() {
        assert!(accepts_gzip("gzip, deflate, br"));
        assert!(accepts_gzip("br;q=1.0, GZIP;q=0.5"));
        assert!(!accepts_gzip("gzip;q=0, identity"));
        assert!(!accepts_gzip("identity"));
    }
}
