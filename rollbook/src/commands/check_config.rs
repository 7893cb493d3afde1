//! `rollbook check-config`: what `serve` would use, and what would keep it from starting. Changes nothing.

use std::fs::File;
use std::io::{Read, Write, stdout};
use std::path::Path;

use anyhow::{Result, ensure};
use clap::Args;
use serde_json::{Value, json};
use sql::{Options, Store};

use super::failure::Failure;
use super::local::pending;
use super::output::Output;
use super::table::{Column, Shape};
use crate::config::{BOOTSTRAP_KEY, Serve, Settings};
use crate::key_file::MEMORY;
use crate::mail::MailServer;
use crate::{first_start, tls};

const SETTINGS: Shape = Shape {
    nothing: "",
    columns: &[Column::text("SETTING", "/name", 0), Column::text("VALUE", "/value", 0)],
};

const FINDINGS: Shape = Shape {
    nothing: "",
    columns: &[
        Column::text("CHECK", "/name", 0),
        Column::text("RESULT", "/result", 0),
        Column::text("WHAT WAS FOUND", "/found", 0),
    ],
};

/// The flags of `check-config`: those of `serve`.
#[derive(Debug, Args)]
pub struct CheckConfig {
    #[command(flatten)]
    pub serve: Serve,
    #[command(flatten)]
    output: Output,
}

/// What one look found.
struct Finding {
    name: &'static str,
    result: &'static str,
    found: String,
}

impl Finding {
    fn of(name: &'static str, outcome: Result<String>) -> Self {
        match outcome {
            Ok(found) => Self { name, result: "ok", found },
            Err(error) => Self { name, result: "wrong", found: format!("{error:#}") },
        }
    }

    fn warning(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, result: "note", found: found.into() }
    }

    fn row(&self) -> Value {
        json!({ "name": self.name, "result": self.result, "found": self.found })
    }
}

impl CheckConfig {
    /// Looks, and tells.
    pub fn run(&self, unknown_variables: &[String]) -> Result<()> {
        let settings = &self.serve.settings;
        let findings = look(settings, unknown_variables);
        let is_wrong = findings.iter().any(|finding| finding.result == "wrong");
        let rows: Vec<_> = findings.iter().map(Finding::row).collect();
        let shown = shown(settings)?;
        if self.output.json {
            self.output.done(&json!({ "settings": shown, "checks": rows }), "")?;
        } else {
            let lines = shown.as_object().into_iter().flatten();
            let lines = lines.map(|(name, value)| Ok(json!({ "name": name, "value": value })));
            self.output.list(lines, &SETTINGS)?;
            writeln!(stdout())?;
            self.output.list(rows.into_iter().map(Ok), &FINDINGS)?;
        }
        let refusal = || Failure::refused("the server would not start with these settings");
        ensure!(!is_wrong, refusal());
        Ok(())
    }
}

/// The settings by name, without the password that the store's URL may hold.
fn shown(settings: &Settings) -> Result<Value> {
    let mut shown = serde_json::to_value(settings)?;
    shown["database"] = Options::new(&settings.database).shown_url().into();
    Ok(shown)
}

fn look(settings: &Settings, unknown_variables: &[String]) -> Vec<Finding> {
    let mut findings = vec![Finding::of("store", store(settings))];
    if let (Some(chain), Some(key)) = (&settings.tls_cert, &settings.tls_key) {
        let fit = tls::acceptor(chain, key)
            .map(|_| "the certificate and the key belong together".to_owned());
        findings.push(Finding::of("TLS", fit));
    } else if settings.is_exposed() {
        let found = format!("{} can be reached from other machines without TLS", settings.listen);
        findings.push(Finding::warning("TLS", found));
    }
    if let Some(found) = links(settings) {
        findings.push(Finding::warning("links", found));
    }
    if let Some(found) = mail(settings) {
        findings.push(Finding::of("mail", found));
    }
    if let Some(key) = std::env::var_os(BOOTSTRAP_KEY) {
        let usable = first_start::check(key).map(|_| format!("{BOOTSTRAP_KEY} is usable"));
        findings.push(Finding::of("first key", usable.map_err(Into::into)));
    }
    for name in unknown_variables {
        let found = format!("{name} is no setting of this version and has no effect");
        findings.push(Finding::warning("environment", found));
    }
    findings
}

/// Whether alerts can be sent, if they are to be.
fn mail(settings: &Settings) -> Option<Result<String>> {
    let server = MailServer::of(settings).map_err(Into::into).transpose()?;
    Some(server.and_then(|server| {
        server.transport(settings)?;
        Ok(format!("alerts go to {server}, from {}", server.from))
    }))
}

/// What is odd about the links of invitations, which people open on machines of their own.
fn links(settings: &Settings) -> Option<String> {
    let remedy = "--public-url says where people reach this server";
    match &settings.public_url {
        Some(url) if url.is_loopback() => {
            Some(format!("those of invitations lead to {url}, which is this machine; {remedy}"))
        }
        Some(_) => None,
        None => Some(format!(
            "those of invitations lead to where the server listens, {}; {remedy}",
            settings.listen
        )),
    }
}

fn store(settings: &Settings) -> Result<String> {
    if settings.database == MEMORY {
        return Ok("in memory: everything is forgotten when the server stops".to_owned());
    }
    if let Some(path) = settings.database.strip_prefix("sqlite:").map(Path::new)
        && let Some(found) = file(path)?
    {
        return Ok(found);
    }
    let store = Store::open(Options { connections: 1, readers: 1, ..settings.store() })?;
    let pending = pending(&store)?;
    store.close();
    Ok(match pending.as_slice() {
        [] => "its tables are current".to_owned(),
        names => format!("the start would apply {}", names.join(", ")),
    })
}

/// What can be said of the file before it is opened; nothing if it is a store. To open another program's database would already
/// change it.
fn file(path: &Path) -> Result<Option<String>> {
    if !path.exists() {
        let folder =
            path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
        ensure!(folder.is_dir(), "the folder {} does not exist", folder.display());
        return Ok(Some("does not exist yet; the start would make it".to_owned()));
    }
    let mut head = Vec::new();
    File::open(path)?.take(20).read_to_end(&mut head)?;
    if head.is_empty() {
        return Ok(Some("an empty file; the start would make it a store".to_owned()));
    }
    // The two bytes behind the name say how the file is written: 2 is a write-ahead log.
    ensure!(head.starts_with(b"SQLite format 3\0"), "{} is not a SQLite file", path.display());
    let is_ours = head.get(18..20) == Some(&[2, 2]);
    Ok((!is_ours).then(|| "a SQLite file that no server has opened yet".to_owned()))
}
