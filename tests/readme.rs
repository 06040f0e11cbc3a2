//! Each example of the README runs, and its table of settings is complete.

use crate::support::Service;
use insites::config::SETTINGS;

fn readme() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    std::fs::read_to_string(path).expect("the README")
}

#[test]
fn the_table_of_settings_is_complete_and_right() {
    let readme = readme();
    for setting in SETTINGS {
        let row = format!("| `{}` | `{}` | {} |", setting.name, setting.default, setting.meaning);
        assert!(readme.contains(&row), "the README lacks the row\n{row}");
    }
}

/// Every `curl` of the README is sent to the router and must succeed; a line
/// after it that begins with `# →` must be in the answer.
#[tokio::test]
async fn every_curl_of_the_readme_works() {
    let service = Service::seeded_alone().administrator();
    let mut ran = 0;
    let readme = readme();
    let mut lines = readme.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(command) = line.trim().strip_prefix("curl ") else { continue };
        let words = words(command);
        let mut url = String::new();
        let mut accept = String::new();
        let mut data = Vec::new();
        let (mut method, mut media_type, mut body) = ("", String::new(), None);
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "-H" => {
                    let field = words.next().expect("a header");
                    match field.split_once(": ").expect("a header") {
                        ("Accept", value) => value.clone_into(&mut accept),
                        ("Content-Type", value) => value.clone_into(&mut media_type),
                        // The token of the service stands for it.
                        ("Authorization", _) => {}
                        other => panic!("unknown header {other:?}"),
                    }
                }
                "-X" if words.next().as_deref() == Some("PUT") => method = "PUT",
                "-X" => method = "POST",
                "-d" => body = words.next(),
                "--data-urlencode" => data.push(words.next().expect("a value")),
                "-s" | "-i" | "-I" => {}
                _ => url = word,
            }
        }
        let path = url.strip_prefix("http://127.0.0.1:7878").expect("our address").to_owned();
        let answer = if body.is_some() || !method.is_empty() {
            let method = if method.is_empty() { "POST" } else { method };
            let request = axum::http::Request::builder()
                .method(method)
                .uri(path.as_str())
                .header("content-type", &media_type)
                .body(axum::body::Body::from(body.unwrap_or_default()));
            service.send(request.expect("a request")).await
        } else if data.is_empty() {
            service.get(&path, &accept).await
        } else {
            let encode = |text: &str| {
                percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
                    .to_string()
            };
            let form: Vec<String> = data
                .iter()
                .map(|pair| {
                    let (name, value) = pair.split_once('=').expect("a pair");
                    format!("{name}={}", encode(value))
                })
                .collect();
            let request = axum::http::Request::post(path.as_str())
                .header("content-type", "application/x-www-form-urlencoded")
                .header("accept", &accept)
                .body(axum::body::Body::from(form.join("&")));
            service.send(request.expect("a request")).await
        };
        let expects_problem =
            lines.peek().is_some_and(|next| next.contains("problem/") || next.contains("message"));
        assert!(
            expects_problem || answer.status.is_success() || answer.status.is_redirection(),
            "{line}: {} {}",
            answer.status,
            answer.text()
        );
        if let Some(expected) = lines.peek().and_then(|next| next.trim().strip_prefix("# → ")) {
            let all = format!("{:?}\n{}", answer.headers, answer.text());
            assert!(all.contains(expected), "{line}\nlacks {expected}\n{all}");
        }
        ran += 1;
    }
    assert!(ran >= 8, "{ran} examples ran");
}

/// Words of a shell line with single and double quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    for c in line.chars() {
        match quote {
            Some(q) if c == q => quote = None,
            None if c == '\'' || c == '"' => quote = Some(c),
            None if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            Some(_) | None => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}
