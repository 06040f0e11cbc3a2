use super::*;
use crate::graph::Snapshot;
use crate::rdf::Names;

#[test]
fn slugs_are_plain_and_unused() {
    for (title, wanted) in [
        ("Fewer missed appointments", "fewer-missed-appointments"),
        ("  What's new?  ", "whats-new"),
        ("Ünïcode – and “quotes”", "n-code-and-quotes"),
        ("…", "record"),
        ("Import", "import-1"),
    ] {
        assert_eq!(slug(title), wanted, "{title}");
    }
    assert!(slug(&"long words ".repeat(30)).len() <= 60);
    let empty = Snapshot::default();
    assert_eq!(unused_slug(&empty, &Names::default(), "case-study", "A case"), "a-case");
}
