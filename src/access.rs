//! Who asks: roles, and the tokens that prove them. Not for which route needs
//! which role: `http` knows that.

use crate::rdf::Visibility;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// What somebody may do; each may do what those before may.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads what is public.
    #[default]
    Public,
    /// Reads what members may.
    Member,
    /// Writes drafts for the own site.
    Contributor,
    /// Reviews, publishes, writes.
    Curator,
    /// Everything.
    Administrator,
}

impl Role {
    /// All roles, from the one that may least.
    pub const ALL: [Self; 5] =
        [Self::Public, Self::Member, Self::Contributor, Self::Curator, Self::Administrator];

    /// The name in commands and files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Member => "member",
            Self::Contributor => "contributor",
            Self::Curator => "curator",
            Self::Administrator => "administrator",
        }
    }

    /// The role with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Which graphs the role sees.
    #[must_use]
    pub fn sees(self) -> Visibility {
        match self {
            Self::Public => Visibility::Public,
            Self::Member | Self::Contributor => Visibility::Members,
            Self::Curator | Self::Administrator => Visibility::Curators,
        }
    }
}

/// Somebody who asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller {
    /// The token's name; empty for the public.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The site they belong to, by its slug.
    pub site: Option<String>,
    /// What forms of their session must send back (against forged requests).
    pub form_secret: Option<String>,
}

/// A token as it is kept: its secret is known to its owner alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Token {
    /// Whose it is, or what for.
    pub name: String,
    /// What it allows.
    pub role: Role,
    /// The site it belongs to, by its slug.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// The last day on which it is valid (`2026-12-31`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// When it was made (RFC 3339).
    pub created: String,
    /// SHA-256 of the secret, in hexadecimal. The secret has 256 random bits,
    /// so a slow hash would protect nothing.
    pub hash: String,
}

/// The tokens of a data folder, in `tokens.json`. The file is looked at for
/// each secret, so that what another process revokes is revoked at once.
#[derive(Debug)]
pub struct Tokens {
    path: PathBuf,
    cached: Mutex<Cached>,
}

/// What the file held when it had this time and length.
type Cached = (Option<(SystemTime, u64)>, Arc<Vec<Token>>);

/// Why tokens cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read or written.
    #[error("cannot use {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The name is taken.
    #[error("there is a token {0:?} already\nhint: revoke it first, or choose another name")]
    Taken(String),
    /// There is no such token.
    #[error("there is no token {0:?}\nhint: `insites token list` shows them")]
    Missing(String),
    /// A contributor belongs to a site.
    #[error(
        "a contributor writes for a site\nhint: --site with its slug, for instance --site mid-and-south-essex-nhs-ft"
    )]
    Site,
    /// The date is over.
    #[error("{0} has passed: the token would never be valid")]
    Past(String),
    /// The date is none.
    #[error("{0:?} is not a date like 2026-12-31")]
    Date(String),
}

impl Tokens {
    /// The tokens of a folder; none if the file is not there yet.
    #[must_use]
    pub fn open(folder: &Path) -> Self {
        Self { path: folder.join("tokens.json"), cached: Mutex::default() }
    }

    fn io(&self, source: io::Error) -> Error {
        Error::Io { path: self.path.clone(), source }
    }

    /// All tokens, by name.
    pub fn list(&self) -> Result<Arc<Vec<Token>>, Error> {
        let stamp = match std::fs::metadata(&self.path) {
            Ok(data) => data.modified().ok().map(|time| (time, data.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Arc::default()),
            Err(error) => return Err(self.io(error)),
        };
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        if stamp.is_none() || cached.0 != stamp {
            let text = std::fs::read_to_string(&self.path).map_err(|e| self.io(e))?;
            let tokens: Vec<Token> =
                serde_json::from_str(&text).map_err(|e| self.io(io::Error::other(e)))?;
            *cached = (stamp, Arc::new(tokens));
        }
        Ok(Arc::clone(&cached.1))
    }

    /// Makes a token and gives its secret, which is not kept.
    pub fn add(
        &self,
        name: &str,
        role: Role,
        site: Option<&str>,
        expires: Option<&str>,
    ) -> Result<String, Error> {
        if let Some(date) = expires
            && date.parse::<oxsdatatypes::Date>().is_err()
        {
            return Err(Error::Date(date.to_owned()));
        }
        if let Some(date) = expires
            && date < crate::rdf::now().get(..10).unwrap_or_default()
        {
            return Err(Error::Past(date.to_owned()));
        }
        if role == Role::Contributor && site.is_none_or(str::is_empty) {
            return Err(Error::Site);
        }
        let mut tokens = self.list()?.to_vec();
        if tokens.iter().any(|token| token.name == name) {
            return Err(Error::Taken(name.to_owned()));
        }
        let secret = format!("insites_{}", secret().map_err(|e| self.io(e))?);
        tokens.push(Token {
            name: name.to_owned(),
            role,
            site: site.map(str::to_owned),
            expires: expires.map(str::to_owned),
            created: crate::rdf::now(),
            hash: hash(&secret),
        });
        tokens.sort_by(|a, b| a.name.cmp(&b.name));
        self.write(&tokens)?;
        Ok(secret)
    }

    /// Makes a token worthless.
    pub fn revoke(&self, name: &str) -> Result<(), Error> {
        let mut tokens = self.list()?.to_vec();
        let before = tokens.len();
        tokens.retain(|token| token.name != name);
        if tokens.len() == before {
            return Err(Error::Missing(name.to_owned()));
        }
        self.write(&tokens)
    }

    /// Replaces the file in one step, readable by its owner alone.
    fn write(&self, tokens: &[Token]) -> Result<(), Error> {
        let text = serde_json::to_vec_pretty(tokens).map_err(|e| self.io(io::Error::other(e)))?;
        write_private(&self.path, &text).map_err(|e| self.io(e))?;
        // The time stamp of a file may be coarse: do not trust it now.
        self.cached.lock().unwrap_or_else(PoisonError::into_inner).0 = None;
        Ok(())
    }

    /// Who holds this secret. It is compared with every token in the same
    /// time, whether one fits or not.
    pub fn caller(&self, secret: &str) -> Result<Option<Caller>, Error> {
        let given = hash(secret);
        let today = crate::rdf::now();
        let today = today.get(..10).unwrap_or_default();
        let mut found = None;
        for token in self.list()?.iter() {
            let fits = same(given.as_bytes(), token.hash.as_bytes());
            let valid = token.expires.as_deref().is_none_or(|last| today <= last);
            if fits && valid {
                found = Some(Caller {
                    name: token.name.clone(),
                    role: token.role,
                    site: token.site.clone(),
                    form_secret: None,
                });
            }
        }
        Ok(found)
    }
}

/// Writes a file that only its owner can read, in one step.
pub fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension(format!("new-{}", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = options.open(&temporary)?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)
}

/// 256 random bits in hexadecimal.
pub fn secret() -> io::Result<String> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(hexadecimal(&bytes))
}

/// SHA-256 in hexadecimal.
#[must_use]
pub fn hash(text: &str) -> String {
    hexadecimal(&Sha256::digest(text.as_bytes()))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Whether two texts are equal, in a time that tells nothing of where they
/// differ.
#[must_use]
pub fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |all, (x, y)| all | (x ^ y)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_kept_hashed_and_revoked_at_once() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (here, elsewhere) = (Tokens::open(folder.path()), Tokens::open(folder.path()));
        let secret = here.add("ann", Role::Curator, None, None).expect("added");
        let file = std::fs::read_to_string(folder.path().join("tokens.json")).expect("a file");
        assert!(!file.contains(&secret));
        let caller = elsewhere.caller(&secret).expect("readable").expect("known");
        assert_eq!((caller.name.as_str(), caller.role), ("ann", Role::Curator));
        assert_eq!(elsewhere.caller("insites_00").expect("readable"), None);
        assert!(matches!(here.add("ann", Role::Member, None, None), Err(Error::Taken(_))));
        elsewhere.revoke("ann").expect("revoked");
        assert_eq!(here.caller(&secret).expect("readable"), None);
        assert!(matches!(here.revoke("ann"), Err(Error::Missing(_))));
    }

    #[test]
    fn a_token_ends_with_its_last_day() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let tokens = Tokens::open(folder.path());
        let old = tokens.add("old", Role::Member, None, Some("2999-01-01")).expect("added");
        // The day has come and gone.
        let file = folder.path().join("tokens.json");
        let text = std::fs::read_to_string(&file).expect("readable");
        std::fs::write(&file, text.replace("2999-01-01", "2020-01-01")).expect("written");
        let new = tokens.add("new", Role::Member, Some("a-site"), Some("2999-12-31"));
        assert_eq!(tokens.caller(&old).expect("readable"), None);
        let caller = tokens.caller(&new.expect("added")).expect("readable").expect("valid");
        assert_eq!(caller.site.as_deref(), Some("a-site"));
        let add = |role, site, expires| tokens.add("x", role, site, expires);
        assert!(matches!(add(Role::Member, None, Some("soon")), Err(Error::Date(_))));
        assert!(matches!(add(Role::Member, None, Some("2020-01-01")), Err(Error::Past(_))));
        assert!(matches!(add(Role::Contributor, None, None), Err(Error::Site)));
    }
}
