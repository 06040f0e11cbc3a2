//! Makes the styles and scripts of the pages: those of nhsuk-frontend and of
//! the SPARQL editor, compiled by npm's lock file, where Node is there; else
//! our own plain style. Either way the program holds all it serves.
//!
//! Node is asked only when a file below `src/pages/assets` changes. Packages
//! are kept in the target folder by the hash of the lock file, moved there in
//! one step, so that builds that run at once do not disturb each other.

use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};
use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// `plain`: our own style, without asking Node. `full`: fail without Node.
const SETTING: &str = "INSITES_PAGES_STYLE";
/// Longest wait for npm and for the compilers.
const PATIENCE: Duration = Duration::from_secs(240);
/// What is compiled; other files are served as they are.
const WATCHED: [&str; 10] = [
    "package.json",
    "package-lock.json",
    "compile.mjs",
    "nhsuk.scss",
    "plain.css",
    "own.css",
    "workbench.css",
    "script.js",
    "workbench.js",
    "icon.svg",
];

fn main() -> Outcome<()> {
    let assets = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("src/pages/assets");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo:rerun-if-changed=src/build.rs");
    println!("cargo:rerun-if-env-changed={SETTING}");
    for file in WATCHED {
        println!("cargo:rerun-if-changed={}", assets.join(file).display());
    }
    let made = out.join("assets");
    // What an earlier run left must not be taken for what this one made.
    let _ = fs::remove_dir_all(&made);
    fs::create_dir_all(&made)?;
    let wanted = env::var(SETTING).unwrap_or_default();
    let full = match wanted.as_str() {
        "plain" => false,
        _ => match compile(&assets, &out, &made) {
            Ok(()) => true,
            Err(error) if wanted == "full" => return Err(error),
            Err(error) => {
                println!(
                    "cargo:warning=the pages get their plain style and no SPARQL editor: {error}"
                );
                println!(
                    "cargo:warning=install Node 20 and npm and build with {SETTING}=full for all"
                );
                false
            }
        },
    };
    if !full {
        let _ = fs::remove_dir_all(&made);
        fs::create_dir_all(&made)?;
        let mut style = fs::read_to_string(assets.join("plain.css"))?;
        style.push_str(&fs::read_to_string(assets.join("own.css"))?);
        fs::write(made.join("style.css"), style)?;
        fs::copy(assets.join("script.js"), made.join("script.js"))?;
    }
    fs::copy(assets.join("icon.svg"), made.join("icon.svg"))?;
    fs::write(out.join("assets.rs"), table(&made)?)?;
    Ok(())
}

/// Compiles styles and scripts into `made`.
fn compile(assets: &Path, out: &Path, made: &Path) -> Outcome<()> {
    let lock = fs::read(assets.join("package-lock.json"))?;
    let packages = hash(&lock);
    // OUT_DIR is target/<profile>/build/<package>/out.
    let target = out.ancestors().nth(4).ok_or("the target folder is not where it was thought")?;
    let home = target.join("pages").join(packages);
    if !home.join("node_modules").is_dir() {
        let mine = target.join("pages").join(format!("installing-{}", std::process::id()));
        let _ = fs::remove_dir_all(&mine);
        fs::create_dir_all(&mine)?;
        for file in ["package.json", "package-lock.json"] {
            fs::copy(assets.join(file), mine.join(file))?;
        }
        let mut install = Command::new("npm");
        install.current_dir(&mine).args([
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--prefer-offline",
            "--fetch-retries=1",
            "--fetch-retry-mintimeout=1000",
            "--fetch-retry-maxtimeout=5000",
        ]);
        let installed = run(install, "npm ci");
        // Another build may have been faster; its packages are the same.
        if installed.is_ok() && fs::rename(&mine, &home).is_err() {
            let _ = fs::remove_dir_all(&mine);
        }
        if installed.is_err() {
            let _ = fs::remove_dir_all(&mine);
        }
        installed?;
        if !home.join("node_modules").is_dir() {
            return Err("npm ci left no packages".into());
        }
    }
    let mut node = Command::new("node");
    node.arg(assets.join("compile.mjs")).arg(assets).arg(home).arg(made);
    run(node, "the compiler of styles and scripts")
}

/// Runs a command to its end, or until patience is over.
fn run(mut command: Command, what: &str) -> Outcome<()> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("{what} cannot start: {error}"))?;
    let mut stderr = child.stderr.take();
    let reader = thread::spawn(move || {
        let mut text = String::new();
        if let Some(stderr) = &mut stderr {
            // What cannot be read is not told.
            let _ = std::io::Read::read_to_string(stderr, &mut text);
        }
        text
    });
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if begun.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            return Err(format!("{what} took more than {} s", PATIENCE.as_secs()).into());
        }
        thread::sleep(Duration::from_millis(50));
    };
    if status.success() {
        return Ok(());
    }
    let text = reader.join().unwrap_or_default();
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    Err(format!("{what} failed: {line}").into())
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(8).fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The Rust table of what was made: each file under a name with its hash.
fn table(made: &Path) -> Outcome<String> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(made)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    paths.sort();
    let mut text = String::from("&[\n");
    for path in paths {
        let name = path.file_name().and_then(|n| n.to_str()).ok_or("a name that is not text")?;
        let (stem, ending) = name.rsplit_once('.').ok_or("a file without an ending")?;
        let media_type = match ending {
            "css" => "text/css; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            "svg" => "image/svg+xml",
            other => return Err(format!("no media type for .{other}").into()),
        };
        let bytes = fs::read(&path)?;
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(&bytes)?;
        let packed = path.with_file_name(format!("{name}.gz"));
        fs::write(&packed, gzip.finish()?)?;
        writeln!(
            text,
            "Asset {{ name: {name:?}, file: {:?}, media_type: {media_type:?}, \
             bytes: include_bytes!({:?}), gzip: include_bytes!({:?}) }},",
            format!("{stem}-{}.{ending}", hash(&bytes)),
            path.display().to_string(),
            packed.display().to_string(),
        )?;
    }
    text.push_str("]\n");
    Ok(text)
}
