//! The files under `/assets/`: styles and scripts that the build script made,
//! under names with their hash, so that they may be kept for ever.

/// A file built into the program.
#[derive(Debug)]
pub struct Asset {
    /// What it is called in the sources.
    pub name: &'static str,
    /// What it is called under `/assets/`.
    pub file: &'static str,
    /// Its media type.
    pub media_type: &'static str,
    /// Its content.
    pub bytes: &'static [u8],
    /// The same, compressed.
    pub gzip: &'static [u8],
}

static ASSETS: &[Asset] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// All files.
#[must_use]
pub fn assets() -> &'static [Asset] {
    ASSETS
}

/// The address of a file; `None` where this build does not have it.
pub(super) fn address(name: &str) -> Option<String> {
    ASSETS.iter().find(|asset| asset.name == name).map(|asset| format!("/assets/{}", asset.file))
}
