//! Case studies that may be the same as one that is being written: found by
//! search, and among the drafts that the writer may see.

use crate::capture;
use crate::http::capture::shown::Place;
use crate::http::error::Problem;
use crate::http::sparql::{pairs, take};
use crate::http::{Shared, State};
use crate::index::Facet;
use crate::pages::Link;
use axum::Json;
use axum::extract::RawQuery;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::collections::HashSet;

/// How many are named.
const NAMED: usize = 3;
/// Of the words of both titles together, this share (in hundredths) is in both.
const ALIKE: usize = 40;

/// The words that tell titles apart, without their endings.
fn words(title: &str) -> HashSet<String> {
    title
        .to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.len() > 3)
        .map(|word| word.chars().take(6).collect())
        .collect()
}

fn are_alike(a: &str, b: &str) -> bool {
    let (a, b) = (words(a), words(b));
    let both = a.intersection(&b).count();
    let all = a.union(&b).count();
    all > 0 && both * 100 >= all * ALIKE
}

/// Records and drafts with a like title, but not the record itself.
pub(super) fn look(
    state: &State,
    place: &Place,
    title: &str,
    but: &str,
) -> Result<Vec<Link>, Problem> {
    let query = crate::search::Query {
        text: title.chars().take(200).collect(),
        filters: vec![(Facet::Kind, "case-study".to_owned())],
        page: 1,
        limit: 10,
        ..Default::default()
    };
    let seen = &place.seen;
    let found =
        crate::search::search(seen.revision, &seen.graph, &seen.text, &place.names, &query)?;
    let mut alike: Vec<Link> = found
        .hits
        .into_iter()
        .filter(|hit| hit.slug != but && are_alike(&hit.title, title))
        .map(|hit| Link::new(&hit.title, &hit.url).with_status(&hit.status))
        .collect();
    let records = place.records();
    let form = capture::case_study_form(&records);
    for draft in capture::drafts(&place.whole.graph, &place.names, &state.caller) {
        if draft.kind != "case-study" || draft.slug == but {
            continue;
        }
        let values = capture::from_triples(&form, &draft.triples, &draft.record, &records);
        let known = capture::title_in(&form, &values);
        let url = format!("/capture/draft/case-study/{}", draft.slug);
        // A draft that curators find by search as well is named once.
        alike.retain(|link| link.url != format!("/case-study/{}", draft.slug));
        if are_alike(&known, title) {
            alike.push(Link::new(&format!("{known} (draft)"), &url));
        }
    }
    alike.truncate(NAMED);
    Ok(alike)
}

/// GET `/api/capture/alike?title=`.
pub(in crate::http) async fn alike(
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let place = Place::of(&state)?;
    let mut parameters = pairs(query.as_deref().unwrap_or_default())?;
    let title = take(&mut parameters, "title").pop().unwrap_or_default();
    let but = take(&mut parameters, "but").pop().unwrap_or_default();
    let found = if title.trim().is_empty() {
        Vec::new()
    } else {
        look(&state, &place, title.trim(), &but)?
    };
    let alike: Vec<_> =
        found.iter().map(|link| json!({ "title": link.text, "url": link.url })).collect();
    Ok(Json(json!({ "alike": alike })).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_alike_by_most_of_their_words() {
        assert!(are_alike(
            "Predicting missed appointments with Deep Medical",
            "Predict missed appointments, Deep Medical"
        ));
        assert!(!are_alike("Missed appointments", "Bedside equipment tags stopped"));
        assert!(!are_alike("", ""));
    }
}
