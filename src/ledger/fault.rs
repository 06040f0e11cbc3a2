//! Points at which a test can make a write fail or the process end, to see that
//! nothing is lost and nothing is half done. `INSITES_FAULT=fail:recorded` fails
//! once at the point `recorded`, `abort:recorded` ends the process there. Not
//! for anything else: without the variable a point costs one atomic load.

use crate::ledger::Error;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// The points, in the order in which a commit passes them.
pub const POINTS: [&str; 6] = ["prepared", "recording", "recorded", "applying", "applied", "shown"];

struct Asked {
    abort: bool,
    point: String,
    done: AtomicBool,
}

fn asked() -> Option<&'static Asked> {
    static ASKED: OnceLock<Option<Asked>> = OnceLock::new();
    ASKED
        .get_or_init(|| {
            let text = std::env::var("INSITES_FAULT").ok()?;
            let (kind, point) = text.split_once(':')?;
            Some(Asked {
                abort: kind == "abort",
                point: point.to_owned(),
                done: AtomicBool::new(false),
            })
        })
        .as_ref()
}

/// A point at which the work can fail or the process end.
pub fn point(name: &str) -> Result<(), Error> {
    abort(name);
    match asked() {
        Some(asked)
            if !asked.abort && asked.point == name && !asked.done.swap(true, Ordering::Relaxed) =>
        {
            Err(Error::Fault(name.to_owned()))
        }
        _ => Ok(()),
    }
}

/// A point at which the process can end.
pub fn abort(name: &str) {
    if asked().is_some_and(|asked| asked.abort && asked.point == name) {
        std::process::abort();
    }
}
