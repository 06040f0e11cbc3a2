//! Settings, read once: command line over environment (`INSITES_…`) over
//! `insites.toml`. One table defines them all; `--help` and the README's table
//! come from it.

use crate::graph::DefaultGraphs;
use crate::query::Limits;
use crate::rdf::Names;
use crate::rdf::Visibility;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Flag `--name`, variable `INSITES_NAME` with `_` for `-`, key in the file.
    pub name: &'static str,
    /// The value if none is given.
    pub default: &'static str,
    /// Unit and meaning.
    pub meaning: &'static str,
}

const fn setting(name: &'static str, default: &'static str, meaning: &'static str) -> Setting {
    Setting { name, default, meaning }
}

/// The data folder unless another one is named.
pub const DEFAULT_DATA: &str = "./data";

/// Every setting.
pub const SETTINGS: &[Setting] = &[
    setting("data", DEFAULT_DATA, "folder of the ledger and its views"),
    setting("listen", "127.0.0.1:7878", "address and port to listen on"),
    setting("base", Names::DEFAULT_BASE, "base IRI of the records minted here"),
    setting("default-graph", "union", "what a query's default graph is: union or strict"),
    setting("service-name", "InSites learning", "name shown on every page"),
    setting("brand-colour", "#005eb8", "colour of the header, dark enough for white text on it"),
    setting("query-timeout", "10", "longest time of a query, seconds"),
    setting("query-memory", "512", "memory one query may hold, MiB"),
    setting("query-length", "1024", "longest query text, KiB"),
    setting("query-patterns", "150", "most triple patterns in a query"),
    setting("query-values", "50000", "most cells in VALUES and IN of a query"),
    setting("result-size", "1024", "largest answer of a query before compression, MiB"),
    setting("queries-running", "8", "queries that run at once"),
    setting("queries-waiting", "64", "queries that may wait; more are refused with 503"),
    setting("body-size", "64", "largest request body, MiB"),
    setting("body-timeout", "30", "time for a request body to arrive, seconds"),
    setting(
        "requests-per-minute",
        "6000",
        "costly requests of one client in a minute, not counting this machine's; 0 for no limit",
    ),
    setting(
        "new-graph-visibility",
        "public",
        "who sees graphs made by import or Graph Store Protocol: public, members or curators",
    ),
    setting(
        "embedding-threads",
        "auto",
        "threads that make vectors: auto is one a core; with 0 search uses words alone",
    ),
    setting("drain-timeout", "20", "time running requests get at shutdown, seconds"),
    setting("log", "info", "log filter, for instance info or insites=debug"),
    setting("log-format", "text", "text or json"),
];

/// All settings, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Folder of the ledger.
    pub data: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Names of records.
    pub names: Names,
    /// What a query's default graph is.
    pub default_graph: DefaultGraphs,
    /// Shown on every page.
    pub service_name: String,
    /// The colour of the header as `#rrggbb`, if it is not the usual one.
    pub brand_colour: Option<String>,
    /// What a query may be and use.
    pub limits: Limits,
    /// Queries that run at once.
    pub queries_running: usize,
    /// Queries that may wait.
    pub queries_waiting: usize,
    /// Largest request body (bytes).
    pub body_size: usize,
    /// Time for a request body to arrive.
    pub body_timeout: Duration,
    /// Threads that make vectors; 0 for none.
    pub embedding_threads: usize,
    /// Time running requests get at shutdown.
    pub drain_timeout: Duration,
    /// Costly requests of one client in a minute; 0 is no limit.
    pub requests_per_minute: f64,
    /// Who sees graphs that are made without saying.
    pub new_graph_visibility: Visibility,
    /// Log filter.
    pub log: String,
    /// Whether logs are JSON lines.
    pub log_json: bool,
}

/// Why settings cannot be used: names the setting and where it came from.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read {}: {detail}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The file has a key that is no setting.
    #[error("{}: there is no setting {name}\nhint: the settings are {}", path.display(), names())]
    Unknown {
        /// The file.
        path: PathBuf,
        /// The key.
        name: String,
    },
    /// A value is not what the setting takes.
    #[error("{name} = {value} ({origin}): {expected}")]
    Value {
        /// The setting.
        name: &'static str,
        /// What was given.
        value: String,
        /// Where it was given.
        origin: &'static str,
        /// What the setting takes.
        expected: &'static str,
    },
}

fn names() -> String {
    SETTINGS.iter().map(|s| s.name).collect::<Vec<_>>().join(", ")
}

struct Values(HashMap<&'static str, (String, &'static str)>);

impl Values {
    fn read<T>(
        &self,
        name: &'static str,
        expected: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, Error> {
        let default = SETTINGS.iter().find(|s| s.name == name).map_or("", |s| s.default);
        let (value, origin) =
            self.0.get(name).map_or((default, "default"), |(v, o)| (v.as_str(), *o));
        parse(value).ok_or_else(|| Error::Value { name, value: value.to_owned(), origin, expected })
    }

    fn number(&self, name: &'static str) -> Result<usize, Error> {
        self.read(name, "must be a whole number of 1 or more", |v| {
            v.parse().ok().filter(|n| *n > 0)
        })
    }

    fn seconds(&self, name: &'static str) -> Result<Duration, Error> {
        self.read(name, "must be a number of seconds above 0, up to 86400", |v| {
            let seconds: f64 = v.parse().ok()?;
            (seconds > 0.0 && seconds <= 86_400.0).then(|| Duration::from_secs_f64(seconds))
        })
    }

    fn sized(&self, name: &'static str, unit: usize) -> Result<usize, Error> {
        Ok(self.number(name)?.saturating_mul(unit))
    }
}

impl Config {
    /// Puts the settings together. `flags` are those given on the command
    /// line, `variables` the environment, `file` the settings file if it is
    /// there.
    pub fn new(
        flags: impl IntoIterator<Item = (String, String)>,
        variables: impl IntoIterator<Item = (String, String)>,
        file: Option<&Path>,
    ) -> Result<Self, Error> {
        let mut values = HashMap::new();
        if let Some(path) = file {
            for (name, value) in read_file(path)? {
                values.insert(name, (value, "insites.toml"));
            }
        }
        for (variable, value) in variables {
            let Some(rest) = variable.strip_prefix("INSITES_") else { continue };
            let name = rest.to_ascii_lowercase().replace('_', "-");
            if let Some(setting) = SETTINGS.iter().find(|s| s.name == name) {
                values.insert(setting.name, (value, "environment"));
            }
        }
        for (name, value) in flags {
            if let Some(setting) = SETTINGS.iter().find(|s| s.name == name) {
                values.insert(setting.name, (value, "command line"));
            }
        }
        Self::from_values(&Values(values))
    }

    fn from_values(values: &Values) -> Result<Self, Error> {
        let text = |v: &str| Some(v.to_owned());
        let limits = Limits {
            time: values.seconds("query-timeout")?,
            memory: values.sized("query-memory", 1 << 20)?,
            length: values.sized("query-length", 1 << 10)?,
            patterns: values.number("query-patterns")?,
            values: values.number("query-values")?,
            result: values.sized("result-size", 1 << 20)?,
            ..Limits::default()
        };
        Ok(Self {
            data: values.read("data", "must be a folder", |v| Some(PathBuf::from(v)))?,
            listen: values.read("listen", "must be an address and a port", |v| v.parse().ok())?,
            names: values.read("base", "must be an absolute http(s) IRI", |v| {
                let absolute = v.starts_with("http://") || v.starts_with("https://");
                (absolute && crate::rdf::NamedNode::new(v).is_ok()).then(|| Names::new(v))
            })?,
            default_graph: values.read(
                "default-graph",
                "must be union or strict",
                |v| match v {
                    "union" => Some(DefaultGraphs::Union),
                    "strict" => Some(DefaultGraphs::Strict),
                    _ => None,
                },
            )?,
            service_name: values.read("service-name", "must be text", text)?,
            brand_colour: values
                .read(
                    "brand-colour",
                    "must be a colour like #005eb8 on which white text has a contrast of 4.5",
                    |v| dark_colour(v).then(|| v.to_ascii_lowercase()),
                )
                .map(|colour| (colour != "#005eb8").then_some(colour))?,
            limits,
            queries_running: values.number("queries-running")?,
            queries_waiting: values.number("queries-waiting")?,
            body_size: values.sized("body-size", 1 << 20)?,
            body_timeout: values.seconds("body-timeout")?,
            embedding_threads: values.read(
                "embedding-threads",
                "must be auto or a whole number",
                |v| match v {
                    "auto" => Some(std::thread::available_parallelism().map_or(1, usize::from)),
                    number => number.parse().ok().filter(|n| *n <= 256),
                },
            )?,
            drain_timeout: values.seconds("drain-timeout")?,
            requests_per_minute: values.read(
                "requests-per-minute",
                "must be a number of 0 or more",
                |v| v.parse().ok().filter(|n: &f64| *n >= 0.0 && n.is_finite()),
            )?,
            new_graph_visibility: values.read(
                "new-graph-visibility",
                "must be public, members or curators",
                Visibility::parse,
            )?,
            log: values.read("log", "must be a log filter", text)?,
            log_json: values.read("log-format", "must be text or json", |v| match v {
                "text" => Some(false),
                "json" => Some(true),
                _ => None,
            })?,
        })
    }
}

/// Whether white text can be read on a colour (WCAG 2.2 §1.4.3).
fn dark_colour(text: &str) -> bool {
    let Some(digits) = text.strip_prefix('#').filter(|d| d.len() == 6 && d.is_ascii()) else {
        return false;
    };
    let channel = |at: usize| -> Option<f64> {
        let value = f64::from(u8::from_str_radix(&digits[at..at + 2], 16).ok()?) / 255.0;
        Some(if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) })
    };
    let (Some(red), Some(green), Some(blue)) = (channel(0), channel(2), channel(4)) else {
        return false;
    };
    1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05) >= 4.5
}

fn read_file(path: &Path) -> Result<Vec<(&'static str, String)>, Error> {
    let wrong = |detail: String| Error::File { path: path.to_owned(), detail };
    let text = std::fs::read_to_string(path).map_err(|e| wrong(e.to_string()))?;
    let table: toml::Table = text.parse().map_err(|e: toml::de::Error| wrong(e.to_string()))?;
    table
        .into_iter()
        .map(|(name, value)| {
            let setting = SETTINGS
                .iter()
                .find(|s| s.name == name)
                .ok_or_else(|| Error::Unknown { path: path.to_owned(), name })?;
            let value = match value {
                toml::Value::String(text) => text,
                toml::Value::Integer(number) => number.to_string(),
                toml::Value::Float(number) => number.to_string(),
                toml::Value::Boolean(yes) => yes.to_string(),
                _ => return Err(wrong(format!("{} must be one value", setting.name))),
            };
            Ok((setting.name, value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(name: &str, value: &str) -> Vec<(String, String)> {
        vec![(name.to_owned(), value.to_owned())]
    }

    #[test]
    fn flags_win_over_environment_over_file() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("insites.toml");
        std::fs::write(&path, "query-timeout = 3\nqueries-running = 5\nbody-size = 7")
            .expect("written");
        let config = Config::new(
            pair("query-timeout", "1.5"),
            [pair("INSITES_QUERY_TIMEOUT", "2"), pair("INSITES_QUERIES_RUNNING", "4")].concat(),
            Some(&path),
        )
        .expect("usable");
        assert_eq!(config.limits.time, Duration::from_millis(1500));
        assert_eq!((config.queries_running, config.body_size), (4, 7 << 20));
    }

    #[test]
    fn white_can_be_read_on_the_colour() {
        for colour in ["#005eb8", "#000000", "#5A2472"] {
            assert!(dark_colour(colour), "{colour}");
        }
        for colour in ["#ffeb3b", "#fff", "blue", "#00zz00", "#41b6e6", ""] {
            assert!(!dark_colour(colour), "{colour}");
        }
    }

    #[test]
    fn defaults_are_usable() {
        let config = Config::new([], [], None).expect("usable");
        assert_eq!(config.listen.port(), 7878);
    }

    #[test]
    fn wrong_values_name_the_setting_and_its_origin() {
        for (name, value) in
            [("listen", "here"), ("query-timeout", "0"), ("queries-running", "-1"), ("base", "x")]
        {
            let error = Config::new(pair(name, value), [], None).expect_err("refused").to_string();
            assert!(error.contains(name) && error.contains("command line"), "{error}");
        }
    }

    #[test]
    fn an_unknown_key_lists_the_known_ones() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("insites.toml");
        std::fs::write(&path, "colour = 'red'").expect("written");
        let error = Config::new([], [], Some(&path)).expect_err("refused").to_string();
        assert!(error.contains("colour") && error.contains("query-timeout"), "{error}");
    }
}
