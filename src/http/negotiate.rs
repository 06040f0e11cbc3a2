//! Content negotiation (RFC 9110 §12.5.1). Pure functions over header values.

/// One entry of an `Accept` header.
#[derive(Debug, Clone, PartialEq)]
struct Range<'a> {
    type_: &'a str,
    subtype: &'a str,
    quality: f32,
}

fn ranges(accept: &str) -> Vec<Range<'_>> {
    accept
        .split(',')
        .filter_map(|part| {
            let mut parts = part.split(';');
            let (type_, subtype) = parts.next()?.trim().split_once('/').or_else(|| {
                // Old Java clients send a lone `*`.
                (part.trim().split(';').next()?.trim() == "*").then_some(("*", "*"))
            })?;
            let quality = parts
                .find_map(|parameter| {
                    let (name, value) = parameter.split_once('=')?;
                    (name.trim().eq_ignore_ascii_case("q")).then(|| value.trim().parse().ok())?
                })
                .unwrap_or(1.0_f32);
            Some(Range { type_, subtype, quality: quality.clamp(0.0, 1.0) })
        })
        .collect()
}

/// Chooses among offers. Each offer is a list of media types that mean it; the
/// index of the best offer is returned, `None` if nothing fits. No `Accept`
/// takes the first offer. Among offers of equal quality, one that the client
/// names wins over one that a wildcard covers; then the client's order
/// counts, then ours.
pub(super) fn choose(accept: Option<&str>, offers: &[&[&str]]) -> Option<usize> {
    let Some(accept) = accept.filter(|a| !a.trim().is_empty()) else {
        return (!offers.is_empty()).then_some(0);
    };
    let ranges = ranges(accept);
    let mut best: Option<(f32, u8, usize, usize)> = None;
    for (index, names) in offers.iter().enumerate() {
        // The most specific range decides the quality (RFC 9110 §12.5.1).
        let mut matched: Option<(u8, f32, usize)> = None;
        for (position, range) in ranges.iter().enumerate() {
            for name in *names {
                let Some((type_, subtype)) = name.split_once('/') else { continue };
                let specificity = if range.type_ == "*" && range.subtype == "*" {
                    1
                } else if range.type_.eq_ignore_ascii_case(type_) && range.subtype == "*" {
                    2
                } else if range.type_.eq_ignore_ascii_case(type_)
                    && range.subtype.eq_ignore_ascii_case(subtype)
                {
                    3
                } else {
                    continue;
                };
                if matched.is_none_or(|(s, q, _)| (specificity, range.quality) > (s, q)) {
                    matched = Some((specificity, range.quality, position));
                }
            }
        }
        let Some((specificity, quality, position)) = matched else { continue };
        if quality <= 0.0 {
            continue;
        }
        let named = u8::from(specificity == 3);
        let order = if named == 1 { position } else { usize::MAX };
        let better = best.is_none_or(|(q, n, o, _)| {
            quality > q || (quality >= q && (named > n || (named == n && order < o)))
        });
        if better {
            best = Some((quality, named, order, index));
        }
    }
    best.map(|(_, _, _, index)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFERS: &[&[&str]] = &[
        &["text/html", "application/xhtml+xml"],
        &["text/turtle", "text/rdf+n3", "text/n3"],
        &["application/n-triples"],
        &["application/rdf+xml"],
        &["application/ld+json"],
        &["application/json"],
    ];

    #[track_caller]
    fn check(accept: Option<&str>, expected: Option<usize>) {
        assert_eq!(choose(accept, OFFERS), expected, "{accept:?}");
    }

    /// Vectors seen in the wild; see the research on linked-data portals.
    #[test]
    fn accept_vectors() {
        check(None, Some(0));
        check(Some(""), Some(0));
        check(Some("*/*"), Some(0));
        check(Some("*"), Some(0));
        check(Some("text/*"), Some(0));
        check(Some("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"), Some(0));
        check(Some("text/turtle"), Some(1));
        check(Some("TEXT/TURTLE"), Some(1));
        check(Some("text/rdf+n3"), Some(1));
        check(Some("application/json"), Some(5));
        check(Some("application/ld+json, application/json;q=0.5"), Some(4));
        check(Some("application/rdf+xml, text/rdf;q=0.6, text/html;q=0.5"), Some(3));
        check(Some("text/turtle, text/html"), Some(1));
        check(Some("text/html, text/turtle"), Some(0));
        check(
            Some(
                "application/n-quads,application/trig;q=0.95,application/ld+json;q=0.9,\
                  application/n-triples;q=0.8,text/turtle;q=0.6,text/html;q=0.2",
            ),
            Some(4),
        );
        check(
            Some(
                "application/rdf+xml;q=0.9, text/turtle, application/x-turtle, text/html;q=0.7, */*;q=0.1",
            ),
            Some(1),
        );
        check(Some("text/html;q=0, */*"), Some(1));
        check(Some("image/png"), None);
        check(Some("application/json;q=0"), None);
        check(Some(";;;,,q=1"), None);
        check(Some("application/*"), Some(0));
        check(Some("text/turtle;q=abc"), Some(1));
    }
}
