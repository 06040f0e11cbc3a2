//! The command line. Commands work also while a server has the data folder
//! open: then they ask it.

use anyhow::Context;
use clap::{Arg, ArgAction, ArgMatches, Command};
use hyper::Method;
use insites::access::{Role, Tokens};
use insites::app::{App, open_committer, write_quads};
use insites::commit::{Committer, LockError, Rules};
use insites::config::{Config, DEFAULT_DATA, SETTINGS};
use insites::evaluation;
use insites::graph::{Budget, Format, GraphPattern, QueryForm, ReadQuery, Scope};
use insites::http::State;
use insites::query::{check_size, check_text, with_hits};
use insites::rdf::{GraphFormat, GraphName, NamedNode, Provenance, SolutionsFormat, Visibility};
use insites::remote::{Asked, Remote};
use insites::search::Mode;
use std::io::{BufWriter, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn main() -> ExitCode {
    let matches = command().get_matches();
    match run(&matches) {
        Ok(code) => code,
        Err(error) => {
            // A reader that has seen enough is no failure: `insites export | head`.
            let broken_pipe = error
                .chain()
                .filter_map(|e| e.downcast_ref::<std::io::Error>())
                .any(|e| e.kind() == std::io::ErrorKind::BrokenPipe);
            if broken_pipe {
                return ExitCode::SUCCESS;
            }
            tell(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Everything but results goes to standard error.
fn tell(text: &str) {
    // If standard error is closed there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn command() -> Command {
    let settings = SETTINGS.iter().map(|setting| {
        Arg::new(setting.name)
            .long(setting.name)
            .value_name("VALUE")
            .global(true)
            .hide_possible_values(true)
            .help(format!("{} [default: {}]", setting.meaning, setting.default))
            .help_heading("Settings (also INSITES_… variables and insites.toml)")
    });
    let json = Arg::new("json").long("json").action(ArgAction::SetTrue).help("print JSON");
    let mode = Arg::new("mode")
        .long("mode")
        .value_name("MODE")
        .value_parser(["hybrid", "words", "meaning"])
        .default_value("hybrid")
        .help("rank by words and meaning, or by one of them");
    Command::new("insites")
        .version(env!("CARGO_PKG_VERSION"))
        .about("A knowledge graph of what the NHS Innovation Sites have learnt")
        .long_about(
            "A knowledge graph of what the NHS Innovation Sites have learnt: SPARQL, search and \
             stable addresses over one durable ledger. Without a command it serves the folder \
             ./data on http://127.0.0.1:7878; an empty folder is filled with the ontology and the \
             seed data first.",
        )
        .after_help(
            "Examples:\n  insites\n  insites serve --listen 0.0.0.0:8080 --data /var/lib/insites\n  \
             insites import --graph https://example.org/g lessons.ttl.gz\n  \
             insites query 'SELECT (COUNT(*) AS ?n) { ?s ?p ?o }' --format csv\n  \
             insites search missed appointments --kind lesson\n  insites export > backup.nq\n\n\
             Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a check found violations.",
        )
        .args(settings)
        .subcommand(
            Command::new("serve").about("Serve a data folder over HTTP (the default)").arg(
                Arg::new("empty")
                    .long("empty")
                    .action(ArgAction::SetTrue)
                    .help("do not load the seed into an empty ledger"),
            ),
        )
        .subcommand(
            Command::new("import")
                .about("Add RDF files to the graph, all or nothing")
                .long_about(
                    "Add the quads of RDF files to the graph as one change. Formats by name: .ttl \
                     .nt .nq .trig .rdf .jsonld, and .gz of each. If one file is broken, its place \
                     is told and nothing is changed. An empty ledger is not seeded.",
                )
                .arg(Arg::new("graph").long("graph").value_name("IRI").help(
                    "named graph for triples that name none [default: the default graph]",
                ))
                .arg(
                    Arg::new("shapes")
                        .long("shapes")
                        .value_parser(["refuse", "report", "off"])
                        .default_value("refuse")
                        .help("what becomes of records that break the rules for records"),
                )
                .arg(
                    Arg::new("visibility")
                        .long("visibility")
                        .value_parser(["public", "members", "curators"])
                        .help("who may see the graph of --graph, if it is new [default: the setting new-graph-visibility]"),
                )
                .arg(Arg::new("reason").long("reason").value_name("TEXT").help("why, for the history"))
                .arg(json.clone())
                .arg(
                    Arg::new("files")
                        .value_name("FILE")
                        .num_args(1..)
                        .required(true)
                        .value_parser(clap::value_parser!(PathBuf)),
                ),
        )
        .subcommand(
            Command::new("export")
                .about("Write the quads to standard output")
                .arg(Arg::new("graph").long("graph").value_name("IRI").help("only this named graph"))
                .arg(
                    Arg::new("format")
                        .long("format")
                        .value_name("FORMAT")
                        .default_value("nq")
                        .help("nq, trig, jsonld; with --graph also ttl, nt, rdf"),
                ),
        )
        .subcommand(
            Command::new("check")
                .about("Verify views against the ledger and run the checks of queries/checks")
                .arg(json.clone()),
        )
        .subcommand(
            Command::new("token")
                .about("Make, list and revoke the tokens with which people and programs ask")
                .subcommand_required(true)
                .subcommand(
                    Command::new("add")
                        .about("Make a token and print it; it is shown this once")
                        .arg(Arg::new("name").value_name("NAME").required(true).help("whose it is, or what for"))
                        .arg(
                            Arg::new("role")
                                .long("role")
                                .required(true)
                                .value_parser(["public", "member", "contributor", "curator", "administrator"])
                                .help("what it allows"),
                        )
                        .arg(Arg::new("site").long("site").value_name("SLUG").help("the site of a contributor"))
                        .arg(Arg::new("expires").long("expires").value_name("DATE").help("the last day on which it is valid")),
                )
                .subcommand(Command::new("list").about("List the tokens, without their secrets").arg(json.clone()))
                .subcommand(
                    Command::new("revoke")
                        .about("Make a token worthless at once")
                        .arg(Arg::new("name").value_name("NAME").required(true)),
                ),
        )
        .subcommand(
            Command::new("revert")
                .about("Undo a change by a new one")
                .arg(Arg::new("revision").value_name("REVISION").required(true).value_parser(clap::value_parser!(u64)))
                .arg(Arg::new("reason").long("reason").value_name("TEXT").help("why, for the history")),
        )
        .subcommand(
            Command::new("backup")
                .about("Write the whole ledger, at one revision, to a file")
                .long_about("Write the whole ledger with its history, at one revision, to a new file with a checksum. A server that has the folder open goes on answering and writing. Tokens are not in it.")
                .arg(Arg::new("file").value_name("FILE").required(true).value_parser(clap::value_parser!(PathBuf))),
        )
        .subcommand(
            Command::new("restore")
                .about("Make a ledger from a backup, in an empty folder")
                .arg(Arg::new("file").value_name("FILE").required(true).value_parser(clap::value_parser!(PathBuf))),
        )
        .subcommand(Command::new("rebuild").about("Make the views again from the ledger"))
        .subcommand(
            Command::new("query")
                .about("Run a SPARQL query")
                .arg(
                    Arg::new("query")
                        .value_name("FILE|QUERY|-")
                        .required(true)
                        .help("a file, the query itself, or - for standard input"),
                )
                .arg(Arg::new("format").long("format").value_name("FORMAT").help(
                    "json, xml, csv, tsv; for graphs ttl, nt, nq, trig, rdf, jsonld [default: tsv, ttl]",
                ))
                .arg(
                    Arg::new("explain")
                        .long("explain")
                        .action(clap::ArgAction::SetTrue)
                        .help("show how the query is answered: operators, rows, times (--format text or json)"),
                ),
        )
        .subcommand(
            Command::new("search")
                .about("Search records by words")
                .arg(Arg::new("kind").long("kind").value_name("KIND").help("only this kind, for instance lesson"))
                .arg(Arg::new("limit").long("limit").value_name("N").value_parser(clap::value_parser!(u8).range(1..=100)).default_value("10").help("results shown"))
                .arg(mode.clone())
                .arg(json.clone())
                .arg(Arg::new("words").value_name("WORDS").num_args(1..).required(true)),
        )
        .subcommand(
            Command::new("eval")
                .about("Score search on judged questions: nDCG@10, recall@100, MRR, success@3, latency")
                .long_about(
                    "Score search on judged questions. Without COLLECTION these are the questions about \
                     the seed; a COLLECTION is a folder with corpus.jsonl (or .gz), queries.jsonl and \
                     qrels.tsv. Everything happens in a folder that is removed afterwards.",
                )
                .arg(Arg::new("at-least").long("at-least").value_name("PERCENT").value_parser(clap::value_parser!(u8).range(0..=100)).help("fail when fewer questions than this have a good answer among the first three"))
                .arg(mode)
                .arg(json)
                .arg(Arg::new("collection").value_name("COLLECTION")),
        )
}

fn run(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let (name, arguments) = matches.subcommand().unwrap_or(("serve", matches));
    let config = Arc::new(configure(matches, arguments)?);
    match name {
        "import" => import(&config, arguments),
        "export" => export(&config, arguments),
        "check" => check(&config, arguments),
        "rebuild" => rebuild(&config),
        "token" => token(&config, arguments),
        "revert" => revert(&config, arguments),
        "backup" => backup(&config, arguments),
        "restore" => restore(&config, arguments),
        "query" => query(&config, arguments),
        "search" => search(&config, arguments),
        "eval" => eval(&config, arguments),
        _ => serve(
            config,
            name == "serve" && matches.subcommand().is_some() && arguments.get_flag("empty"),
        ),
    }
}

fn configure(matches: &ArgMatches, arguments: &ArgMatches) -> anyhow::Result<Config> {
    let flags = SETTINGS.iter().filter_map(|setting| {
        let given = |m: &ArgMatches| m.get_one::<String>(setting.name).cloned();
        Some((setting.name.to_owned(), given(arguments).or_else(|| given(matches))?))
    });
    let file = Path::new("insites.toml");
    Ok(Config::new(flags, std::env::vars(), file.exists().then_some(file))?)
}

fn progress(text: &str) {
    tell(text);
}

/// The data folder, opened here, or the server that has it open.
enum Opened {
    Here(Box<Committer>),
    Served(Remote),
}

fn open(config: &Config, purpose: &str, empty: bool) -> anyhow::Result<Opened> {
    // A misspelt folder is told; the usual one is made, with the seed in it.
    let is_usual = config.data == Path::new(DEFAULT_DATA);
    anyhow::ensure!(
        is_usual || purpose == "importing" || config.data.exists(),
        "there is no folder {0}\nhint: `insites serve --data {0}` makes it, with the seed in it",
        config.data.display()
    );
    match open_committer(config, purpose, empty, &progress) {
        Ok(committer) => Ok(Opened::Here(Box::new(committer))),
        Err(error) => {
            let held = error.chain().any(|cause| {
                cause.downcast_ref::<LockError>().is_some()
                    || cause.to_string().contains("the data folder is in use by")
            });
            match Remote::of(&config.data) {
                Some(remote) if held => Ok(Opened::Served(remote)),
                _ => Err(error),
            }
        }
    }
}

fn opened_here(config: &Config, purpose: &str) -> anyhow::Result<Committer> {
    open_committer(config, purpose, true, &progress)
}

fn ask(remote: &Remote, asked: &Asked<'_>) -> anyhow::Result<ExitCode> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    remote.ask(asked, &mut out)?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn serve(config: Arc<Config>, empty: bool) -> anyhow::Result<ExitCode> {
    logging(&config);
    let begun = Instant::now();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(insites::query::STACK_OF_READERS)
        .on_thread_start(insites::query::mark_large_stack)
        .build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(config.listen)
            .await
            .with_context(|| format!("cannot listen on {}", config.listen))?;
        let address = listener.local_addr()?;
        let state = State::new(Arc::clone(&config));
        let (failed, failure) = tokio::sync::oneshot::channel::<anyhow::Error>();
        let opening = state.clone();
        let opened = tokio::task::spawn_blocking(move || {
            let purpose = format!("serving http://{address}");
            let told = opening.clone();
            let tell_all = move |text: &str| {
                tracing::info!("{text}");
                told.tell(text);
            };
            match App::open(&config, &purpose, empty, &tell_all) {
                Ok(app) => {
                    let snapshot = app.reader.snapshot();
                    tracing::info!(
                        revision = snapshot.revision,
                        quads = snapshot.graph.len(),
                        documents = snapshot.text.len(),
                        duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(0),
                        "ready on http://{address}"
                    );
                    if let Err(error) = opening.admit_commands(&address.to_string()) {
                        tracing::warn!(%error, "commands cannot ask this server");
                    }
                    opening.ready(app);
                }
                Err(error) => {
                    // The receiver lives as long as the server.
                    let _ = failed.send(error);
                }
            }
        });
        let mut failure_seen = None;
        let stop = async {
            tokio::select! {
                () = stopped() => {}
                error = async { match failure.await { Ok(error) => error, Err(_) => std::future::pending().await } } => {
                    failure_seen = Some(error);
                }
            }
        };
        insites::http::serve(listener, state, stop).await?;
        opened.await.context("opening the data folder failed")?;
        match failure_seen {
            Some(error) => Err(error),
            None => Ok(ExitCode::SUCCESS),
        }
    })
}

/// Resolves on Ctrl-C or SIGTERM.
async fn stopped() {
    #[cfg(unix)]
    {
        let terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
        if let Ok(mut terminate) = terminate {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Without a handler the process ends as the system has it.
    let _ = tokio::signal::ctrl_c().await;
}

fn logging(config: &Config) {
    let filter = tracing_subscriber::EnvFilter::new(&config.log);
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    if config.log_json {
        builder.json().init();
    } else {
        builder.init();
    }
}

fn import(config: &Config, arguments: &ArgMatches) -> anyhow::Result<ExitCode> {
    let graph = match arguments.get_one::<String>("graph") {
        Some(iri) => NamedNode::new(iri)
            .with_context(|| format!("--graph {iri} is not an absolute IRI"))?
            .into(),
        None => GraphName::DefaultGraph,
    };
    let rules = match arguments.get_one::<String>("shapes").map(String::as_str) {
        Some("off") => Rules::Off,
        Some("report") => Rules::Report,
        _ => Rules::Refuse,
    };
    let begun = Instant::now();
    let files: Vec<&PathBuf> = arguments.get_many("files").into_iter().flatten().collect();
    let visibility = arguments.get_one::<String>("visibility").cloned();
    let mut committer = match open(config, "importing", true)? {
        Opened::Here(committer) => committer,
        Opened::Served(remote) => {
            return import_into(&remote, arguments, &graph, &files, visibility.as_deref());
        }
    };
    let mut edit = committer.begin();
    let mut read = 0;
    for file in &files {
        let mut report = |count: usize| {
            tell(&format!("{}: {count} quads read", file.display()));
        };
        read += insites::import::read_file(file, &graph, &mut edit, &mut report)
            .context("nothing was changed")?;
    }
    let visibility = visibility.as_deref().and_then(Visibility::parse);
    if let GraphName::NamedNode(name) = &graph {
        let visibility = visibility.unwrap_or(config.new_graph_visibility);
        insites::import::declare(&mut edit, &config.names, name, visibility);
    }
    tell(&format!("{read} quads read in {:.1} s; writing", begun.elapsed().as_secs_f64()));
    let names: Vec<String> = files.iter().map(|f| f.display().to_string()).collect();
    let provenance = Provenance {
        author: "command line".to_owned(),
        reason: arguments
            .get_one::<String>("reason")
            .cloned()
            .unwrap_or_else(|| "Import".to_owned()),
        source: names.join(", "),
    };
    let committed = match committer.commit(edit, &provenance, rules) {
        Err(insites::commit::Error::Shapes(report)) => {
            for line in insites::check::lines(&report).iter().take(20) {
                tell(line);
            }
            anyhow::bail!(
                "{} violations of the shapes; nothing was changed\nhint: mend the records, or \
                 import with --shapes report or --shapes off",
                report.violations().count()
            );
        }
        other => other?,
    };
    for line in insites::check::lines(&committed.report).iter().take(20) {
        tell(line);
    }
    let mut out = std::io::stdout().lock();
    if arguments.get_flag("json") {
        writeln!(
            out,
            "{}",
            serde_json::json!({ "revision": committed.revision, "read": read, "added": committed.added })
        )?;
    } else {
        writeln!(out, "revision {}: {} quads added", committed.revision, committed.added)?;
    }
    tell(&format!("done in {:.1} s", begun.elapsed().as_secs_f64()));
    Ok(ExitCode::SUCCESS)
}

/// The same through the server that has the folder open: files are read here,
/// so that their errors have file, line and column.
fn import_into(
    remote: &Remote,
    arguments: &ArgMatches,
    graph: &GraphName,
    files: &[&PathBuf],
    visibility: Option<&str>,
) -> anyhow::Result<ExitCode> {
    let mut quads = Vec::new();
    for file in files {
        insites::import::write_quads(file, graph, &mut quads).context("nothing was changed")?;
    }
    let text = |name: &str| arguments.get_one::<String>(name).cloned().unwrap_or_default();
    let names: Vec<String> = files.iter().map(|f| f.display().to_string()).collect();
    let mut target = format!(
        "/api/import?shapes={}&reason={}&source={}",
        text("shapes"),
        encoded(&text("reason")),
        encoded(&names.join(", "))
    );
    if let (GraphName::NamedNode(graph), Some(visibility)) = (graph, visibility) {
        target = format!("{target}&graph={}&visibility={visibility}", encoded(graph.as_str()));
    }
    let mut answer = Vec::new();
    let asked = Asked {
        method: Method::POST,
        target: &target,
        content_type: "application/n-quads",
        body: quads.into(),
        ..Asked::default()
    };
    remote.ask(&asked, &mut answer).context("nothing was changed")?;
    let answer: serde_json::Value = serde_json::from_slice(&answer)?;
    let mut out = std::io::stdout().lock();
    if arguments.get_flag("json") {
        writeln!(out, "{answer}")?;
    } else {
        writeln!(out, "revision {}: {} quads added", answer["revision"], answer["added"])?;
    }
    Ok(ExitCode::SUCCESS)
}

fn token(config: &Config, arguments: &ArgMatches) -> anyhow::Result<ExitCode> {
    let tokens = Tokens::open(&config.data);
    let mut out = std::io::stdout().lock();
    let text = |arguments: &ArgMatches, name: &str| arguments.get_one::<String>(name).cloned();
    match arguments.subcommand() {
        Some(("add", given)) => {
            let name = text(given, "name").unwrap_or_default();
            let role = text(given, "role").and_then(|role| Role::parse(&role)).unwrap_or_default();
            let (site, expires) = (text(given, "site"), text(given, "expires"));
            let secret = tokens.add(&name, role, site.as_deref(), expires.as_deref())?;
            writeln!(out, "{secret}")?;
        }
        Some(("revoke", given)) => tokens.revoke(&text(given, "name").unwrap_or_default())?,
        Some((_, given)) => {
            let list = tokens.list()?;
            if given.get_flag("json") {
                let shown: Vec<_> = list
                    .iter()
                    .map(|t| {
                        serde_json::json!({
                            "name": t.name, "role": t.role, "site": t.site, "expires": t.expires,
                            "created": t.created,
                        })
                    })
                    .collect();
                writeln!(out, "{}", serde_json::json!(shown))?;
            } else {
                for token in list.iter() {
                    let or = |text: &Option<String>, none: &str| {
                        text.clone().unwrap_or_else(|| none.to_owned())
                    };
                    writeln!(
                        out,
                        "{}\t{}\tsite {}\texpires {}\tmade {}",
                        token.name,
                        token.role.name(),
                        or(&token.site, "-"),
                        or(&token.expires, "never"),
                        token.created
                    )?;
                }
            }
        }
        None => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn revert(config: &Config, arguments: &ArgMatches) -> anyhow::Result<ExitCode> {
    let revision = arguments.get_one::<u64>("revision").copied().unwrap_or(0);
    let reason = arguments
        .get_one::<String>("reason")
        .cloned()
        .unwrap_or_else(|| format!("Undo change {revision}"));
    let mut committer = match open(config, "reverting", true)? {
        Opened::Here(committer) => committer,
        Opened::Served(remote) => {
            let body = serde_json::json!({ "reason": reason }).to_string();
            let code = ask(
                &remote,
                &Asked {
                    method: Method::POST,
                    target: &format!("/changes/{revision}/revert"),
                    content_type: "application/json",
                    body: body.into(),
                    ..Asked::default()
                },
            )?;
            writeln!(std::io::stdout())?;
            return Ok(code);
        }
    };
    anyhow::ensure!(
        revision > 0 && revision <= committer.reader().snapshot().revision,
        "there is no change {revision}"
    );
    let (removed, added) = committer.history().change_quads(revision)?;
    let mut edit = committer.begin();
    let superseded = edit.undo(&removed, &added);
    let provenance = Provenance {
        author: "command line".to_owned(),
        reason,
        source: format!("revert of {revision}"),
    };
    let committed = committer.commit(edit, &provenance, Rules::Refuse)?;
    writeln!(
        std::io::stdout(),
        "revision {}: {} quads removed, {} added",
        committed.revision,
        committed.removed,
        committed.added
    )?;
    if superseded > 0 {
        writeln!(
            std::io::stdout(),
            "{superseded} quads of change {revision} were changed again since and stay as they are"
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

fn backup(config: &Config, arguments: &ArgMatches) -> anyhow::Result<ExitCode> {
    let path = arguments.get_one::<PathBuf>("file").context("a file is needed")?;
    anyhow::ensure!(!path.exists(), "{} exists already", path.display());
    let opened = open(config, "backing up", true)?;
    let mut partial = path.clone().into_os_string();
    partial.push(".part");
    let partial = PathBuf::from(partial);
    let write = || -> anyhow::Result<()> {
        let mut file = BufWriter::new(std::fs::File::create(&partial)?);
        match &opened {
            Opened::Here(committer) => {
                committer.history().backup(&mut file)?;
            }
            Opened::Served(remote) => {
                remote.ask(&Asked { target: "/api/backup", ..Asked::default() }, &mut file)?;
            }
        }
        file.flush()?;
        file.get_ref().sync_all()?;
        std::fs::rename(&partial, path)?;
        Ok(())
    };
    let written = write().with_context(|| format!("cannot write the backup {}", path.display()));
    if written.is_err() {
        let _ = std::fs::remove_file(&partial);
    }
    written?;
    let size = std::fs::metadata(path)?.len();
    writeln!(std::io::stdout(), "{}: {size} bytes", path.display())?;
    Ok(ExitCode::SUCCESS)
}

fn restore(config: &Config, arguments: &ArgMatches) -> anyhow::Result<ExitCode> {
    let path = arguments.get_one::<PathBuf>("file").context("a file is needed")?;
    let file =
        std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let empty = match std::fs::read_dir(&config.data) {
        Ok(mut entries) => entries.next().is_none(),
        Err(_) => true,
    };
    anyhow::ensure!(
        empty,
        "{} is not empty\nhint: restore into an empty folder, then use that one",
        config.data.display()
    );
    let revision = insites::commit::restore(&config.data, file)?;
    // Makes the views, so that the first start need not.
    let committer = opened_here(config, "restoring")?;
    writeln!(
        std::io::stdout(),
        "revision {revision}: {} quads in {}",
        committer.reader().snapshot().graph.len(),
        config.data.display()
    )?;
    Ok(ExitCode::SUCCESS)
}

fn export(config: &Config, arguments: &ArgMatches) -> anyhow::Result<ExitCode> {
    let name = arguments.get_one::<String>("format").map_or("nq", String::as_str);
    let format = GraphFormat::parse(name)
        .with_context(|| format!("--format {name} is not known: nq, trig, jsonld, ttl, nt, rdf"))?;
    let only = arguments.get_one::<String>("graph");
    let committer = match open(config, "exporting", true)? {
        Opened::Here(committer) => committer,
        Opened::Served(remote) => {
            let target = match only {
                Some(graph) => format!("/graphs?graph={}&format={name}", encoded(graph)),
                None => format!("/export?format={name}"),
            };
            return ask(&remote, &Asked { target: &target, ..Asked::default() });
        }
    };
    let snapshot = committer.reader().snapshot();
    let only = match arguments.get_one::<String>("graph") {
        Some(iri) => Some(
            snapshot
                .graph
                .iri_id(iri)
                .filter(|id| {
                    snapshot
                        .graph
                        .quads()
                        .matching(None, None, None, GraphPattern::Only(*id))
                        .next()
                        .is_some()
                })
                .with_context(|| format!("there is no graph {iri}"))?,
        ),
        None => None,
    };
    anyhow::ensure!(
        only.is_some() || format.has_named_graphs(),
        "{name} cannot hold named graphs\nhint: use nq, trig or jsonld, or choose one graph with --graph"
    );
    let mut out = BufWriter::new(std::io::stdout().lock());
    write_quads(&snapshot.graph, only, format, &mut out)?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn check(config: &Config, arguments: &ArgMatches) -> anyhow::Result<ExitCode> {
    let committer = match open(config, "checking", false)? {
        Opened::Here(committer) => committer,
        Opened::Served(remote) => return check_there(&remote, arguments.get_flag("json")),
    };
    let findings = insites::check::all(&committer)?;
    let violations = findings.iter().filter(|f| f.violation).count();
    let mut out = std::io::stdout().lock();
    if arguments.get_flag("json") {
        let list: Vec<_> = findings
            .iter()
            .map(|f| serde_json::json!({ "check": f.check, "violation": f.violation, "detail": f.detail }))
            .collect();
        writeln!(out, "{}", serde_json::json!(list))?;
    } else {
        for finding in &findings {
            let severity = if finding.violation { "violation" } else { "warning" };
            writeln!(out, "{severity}: {}: {}", finding.check, finding.detail)?;
        }
        let snapshot = committer.reader().snapshot();
        writeln!(
            out,
            "revision {}: {} quads, {} documents, {} checks; {violations} violations, {} warnings",
            snapshot.revision,
            snapshot.graph.len(),
            snapshot.text.len(),
            insites::check::built_in()?.len() + 1,
            findings.len() - violations
        )?;
    }
    Ok(if violations == 0 { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

/// The same by the server that has the folder open.
fn check_there(remote: &Remote, json: bool) -> anyhow::Result<ExitCode> {
    let mut answer = Vec::new();
    remote.ask(&Asked { target: "/api/check", ..Asked::default() }, &mut answer)?;
    let answer: serde_json::Value = serde_json::from_slice(&answer)?;
    let mut out = std::io::stdout().lock();
    let findings = answer["findings"].as_array().cloned().unwrap_or_default();
    if json {
        writeln!(out, "{}", serde_json::json!(findings))?;
    } else {
        for finding in &findings {
            let severity = if finding["violation"] == true { "violation" } else { "warning" };
            let text = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
            writeln!(out, "{severity}: {}: {}", text("check"), text("detail"))?;
        }
        writeln!(
            out,
            "revision {}: {} quads, {} documents",
            answer["revision"], answer["quads"], answer["documents"]
        )?;
    }
    let violated = findings.iter().any(|finding| finding["violation"] == true);
    Ok(if violated { ExitCode::from(3) } else { ExitCode::SUCCESS })
}

fn rebuild(config: &Config) -> anyhow::Result<ExitCode> {
    let begun = Instant::now();
    let mut committer = opened_here(config, "rebuilding")?;
    let documents = committer.rebuild()?;
    writeln!(std::io::stdout(), "{documents} documents in {:.1} s", begun.elapsed().as_secs_f64())?;
    Ok(ExitCode::SUCCESS)
}

fn query(config: &Config, arguments: &ArgMatches) -> anyhow::Result<ExitCode> {
    let given = arguments.get_one::<String>("query").map_or("", String::as_str);
    let text = if given == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        text
    } else if Path::new(given).is_file() {
        std::fs::read_to_string(given).with_context(|| format!("cannot read {given}"))?
    } else {
        given.to_owned()
    };
    check_text(&text, &config.limits)?;
    let name = arguments.get_one::<String>("format").cloned();
    let explain = arguments.get_flag("explain");
    let committer = match open(config, "querying", false)? {
        Opened::Here(committer) => committer,
        Opened::Served(remote) => {
            let target = match &name {
                _ if explain => {
                    let format = name.as_deref().unwrap_or("text");
                    format!("/sparql?explain=true&format={}", encoded(format))
                }
                Some(name) => format!("/sparql?format={}", encoded(name)),
                None => "/sparql".to_owned(),
            };
            return ask(
                &remote,
                &Asked {
                    method: Method::POST,
                    target: &target,
                    accept: "text/tab-separated-values, text/turtle",
                    content_type: "application/sparql-query",
                    body: text.into(),
                },
            );
        }
    };
    let snapshot = committer.reader().snapshot();
    let config = config.clone();
    // The parser and the evaluator recurse with the nesting of the query.
    let run = move || -> anyhow::Result<()> {
        let query = ReadQuery::parse(&text, Some(config.names.base()))
            .map_err(insites::query::Error::from)
            .map_err(|e| match e.position() {
                Some((line, column)) => anyhow::anyhow!("line {line}, column {column}: {e}"),
                None => anyhow::anyhow!("{e}"),
            })?;
        check_size(&query, &config.limits)?;
        let graph = matches!(query.form(), QueryForm::Construct | QueryForm::Describe);
        let format = match &name {
            None if explain => Some(Format::Explanation { text: true }),
            Some(name) if explain && name == "text" => Some(Format::Explanation { text: true }),
            Some(name) if explain && name == "json" => Some(Format::Explanation { text: false }),
            Some(_) if explain => None,
            None if graph => Some(Format::Graph(GraphFormat::Turtle)),
            None => Some(Format::Solutions(SolutionsFormat::Tsv)),
            Some(name) if graph => GraphFormat::parse(name).map(Format::Graph),
            Some(name) => SolutionsFormat::parse(name).map(Format::Solutions),
        };
        let format = format.with_context(|| {
            format!("--format {} does not fit this query", name.unwrap_or_default())
        })?;
        let scope = Scope { default: config.default_graph, ..Scope::default() };
        let budget =
            Budget::new(config.limits.time.max(Duration::from_secs(1)), config.limits.memory);
        let query = with_hits(query, &snapshot.graph, &snapshot.text, &scope, &budget)?;
        let mut out = BufWriter::new(std::io::stdout().lock());
        snapshot
            .graph
            .write_answer(&query, &scope, format, &budget, &mut out)
            .map_err(insites::query::Error::from)?;
        writeln!(out)?;
        out.flush()?;
        Ok(())
    };
    std::thread::Builder::new()
        .stack_size(256 << 20)
        .spawn(run)?
        .join()
        .map_err(|_| anyhow::anyhow!("the query failed"))??;
    Ok(ExitCode::SUCCESS)
}

fn search(config: &Config, arguments: &ArgMatches) -> anyhow::Result<ExitCode> {
    let words: Vec<String> =
        arguments.get_many::<String>("words").into_iter().flatten().cloned().collect();
    let limit = usize::from(arguments.get_one::<u8>("limit").copied().unwrap_or(10));
    let kind = arguments.get_one::<String>("kind");
    let mode = mode(arguments);
    let committer = match open(config, "searching", false)? {
        Opened::Here(committer) => committer,
        Opened::Served(remote) => {
            let mut target = format!(
                "/api/search?limit={limit}&mode={}&q={}",
                mode.name(),
                encoded(&words.join(" "))
            );
            if let Some(kind) = kind {
                target = format!("{target}&kind={}", encoded(kind));
            }
            let mut answer = Vec::new();
            remote.ask(&Asked { target: &target, ..Asked::default() }, &mut answer)?;
            return show(&serde_json::from_slice(&answer)?, arguments.get_flag("json"));
        }
    };
    let snapshot = committer.reader().snapshot();
    let filters =
        kind.map(|kind| (insites::index::Facet::Kind, kind.clone())).into_iter().collect();
    let answer = insites::search::search(
        snapshot.revision,
        &snapshot.graph,
        &snapshot.text,
        &config.names,
        &insites::search::Query {
            text: words.join(" "),
            filters,
            mode,
            page: 1,
            limit,
            ..Default::default()
        },
    )?;
    show(&serde_json::to_value(&answer)?, arguments.get_flag("json"))
}

/// How to rank, as asked.
fn mode(arguments: &ArgMatches) -> Mode {
    let name = arguments.get_one::<String>("mode");
    Mode::ALL
        .into_iter()
        .find(|mode| name.is_some_and(|name| name == mode.name()))
        .unwrap_or_default()
}

fn eval(config: &Config, arguments: &ArgMatches) -> anyhow::Result<ExitCode> {
    let mode = mode(arguments);
    let scores = match arguments.get_one::<String>("collection") {
        None => evaluation::seed_questions(config, mode, &progress)?,
        Some(folder) => evaluation::collection(config, Path::new(folder), mode, &progress)?,
    };
    let mut out = std::io::stdout().lock();
    if arguments.get_flag("json") {
        writeln!(out, "{}", serde_json::to_string_pretty(&scores)?)?;
    } else {
        writeln!(out, "questions    {}", scores.questions)?;
        writeln!(out, "nDCG@10      {:.4}", scores.ndcg_10)?;
        writeln!(out, "recall@100   {:.4}", scores.recall_100)?;
        writeln!(out, "MRR@10       {:.4}", scores.mrr_10)?;
        writeln!(out, "success@3    {:.4}", scores.success_3)?;
        writeln!(out, "latency ms   p50 {:.2}  p95 {:.2}", scores.p50_ms, scores.p95_ms)?;
    }
    let least = f64::from(arguments.get_one::<u8>("at-least").copied().unwrap_or(0)) / 100.0;
    if scores.success_3 < least {
        tell(&format!(
            "error: {:.0} % of the questions have a good answer among the first three, fewer than {:.0} %",
            scores.success_3 * 100.0,
            least * 100.0
        ));
        return Ok(ExitCode::from(3));
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints an answer of the search.
fn show(answer: &serde_json::Value, json: bool) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string_pretty(answer)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let hits = answer["hits"].as_array().cloned().unwrap_or_default();
    for hit in &hits {
        let text = |name: &str| hit[name].as_str().unwrap_or_default().to_owned();
        let mark = match text("status").as_str() {
            "Sourced" => String::new(),
            other => format!(" [{other}]"),
        };
        writeln!(out, "{} ({}){mark}\n  {}", text("title"), text("kind"), text("id"))?;
    }
    writeln!(out, "{} of {} results", hits.len(), answer["total"])?;
    Ok(ExitCode::SUCCESS)
}
