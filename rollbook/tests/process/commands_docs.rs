//! `docs/cli.md` shows what the program shows: every session in it is run again at a terminal, and compared.
//!
//! `UPDATE_DOCS=1 cargo test -p rollbook --test process commands_docs` writes the file anew.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use regex::{Captures, Regex};
use tempfile::{TempDir, tempdir};

use crate::server::{Lines, Start};
use crate::terminal::terminal;

/// As wide as a terminal is by default.
const WIDTH: u16 = 80;
const BEGIN: &str = "<!-- From here on this page is written by its test. -->\n";

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cli.md")
}

#[test]
fn the_page_shows_what_the_program_shows() {
    let written = std::fs::read_to_string(page()).unwrap();
    let (prose, _) = written.split_once(BEGIN).expect("the page has a written and a made part");
    let shown = format!("{}{BEGIN}\n{}", Sessions::new().replay(prose), all_help());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(page(), shown).unwrap();
        return;
    }
    for (place, (shown, written)) in shown.lines().zip(written.lines()).enumerate() {
        assert_eq!(shown, written, "docs/cli.md, line {}; see the head of this file", place + 1);
    }
    assert_eq!(shown.lines().count(), written.lines().count());
}

/// The sessions of the page, all in one folder and one after the other.
struct Sessions {
    folder: TempDir,
    code: i32,
    seen: Vec<String>,
    month: Option<u32>,
}

impl Sessions {
    fn new() -> Self {
        Self { folder: tempdir().unwrap(), code: 0, seen: Vec::new(), month: None }
    }

    /// The page with what each command in its sessions shows now.
    fn replay(&mut self, page: &str) -> String {
        let mut shown = String::new();
        let mut in_session = false;
        for line in page.lines() {
            in_session = if in_session { line != "```" } else { line == "```console" };
            if !in_session || line == "```console" {
                let _ = writeln!(shown, "{line}");
            } else if let Some(command) = line.strip_prefix("$ ") {
                let _ = write!(shown, "{line}\n{}", self.run(command));
            }
        }
        shown
    }

    /// What a command shows at a terminal.
    fn run(&mut self, line: &str) -> String {
        let (screen, other_end) = terminal(WIDTH);
        let screen = Lines::of(screen);
        let program = Path::new(env!("CARGO_BIN_EXE_rollbook")).parent().unwrap();
        let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("sh");
        // The exit code of the command before, for whoever asks.
        command
            .args(["-c", &format!("(exit {}); {line}", self.code)])
            .current_dir(self.folder.path());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("ROLLBOOK_") || name == "OPENAI_ADMIN_KEY" {
                command.env_remove(name);
            }
        }
        command.env("PATH", path).env("TERM", "dumb").env("NO_COLOR", "1").env_remove("COLUMNS");
        command.stdin(other_end.try_clone().unwrap());
        command.stdout(other_end.try_clone().unwrap()).stderr(other_end);
        let status = command.status().unwrap();
        drop(command);
        self.code = status.code().unwrap();
        let text = screen.all();
        let shown = self.made_equal(text.trim_end());
        if shown.is_empty() { shown } else { shown + "\n" }
    }

    /// Replaces what differs from run to run by something of the same width.
    fn made_equal(&mut self, text: &str) -> String {
        let ids = Regex::new("(user-|proj_|key_|org-|svc_acct_|invite-)[0-9A-Za-z]{24}").unwrap();
        let text = ids.replace_all(text, |found: &Captures<'_>| {
            let place = self.seen.iter().position(|id| *id == found[0]).unwrap_or_else(|| {
                self.seen.push(found[0].to_owned());
                self.seen.len() - 1
            });
            format!("{}0D8Hsix{place:017}", &found[1])
        });
        let hex = Regex::new("\\b(|role_)[0-9a-f]{32}\\b|~[0-9a-f]{32}\\b").unwrap();
        let text = hex.replace_all(&text, |found: &Captures<'_>| {
            let place = self.seen.iter().position(|id| *id == found[0]).unwrap_or_else(|| {
                self.seen.push(found[0].to_owned());
                self.seen.len() - 1
            });
            let kind = found[0].trim_end_matches(|c: char| c.is_ascii_hexdigit());
            format!("{kind}0192f5c8{place:024}")
        });
        let keys = Regex::new("sk-admin-[0-9A-Za-z]{49}").unwrap();
        let text = keys.replace_all(&text, format!("sk-admin-{}", "x".repeat(49)));
        let masked = Regex::new(r"sk-admin-\*\*\*[0-9A-Za-z]{4}").unwrap();
        let text = masked.replace_all(&text, "sk-admin-***xxxx");
        let times = Regex::new("(20[0-9]{2})-([0-9]{2})-[0-9]{2}T[0-9]{2}:[0-9]{2}Z").unwrap();
        let text = times.replace_all(&text, |found: &Captures<'_>| {
            let number = |place: usize| found[place].parse::<u32>().unwrap();
            let month = number(1) * 12 + number(2);
            // Two months on is what somebody asked for, and not only the end of a month.
            let is_future = month > *self.month.get_or_insert(month) + 1;
            if is_future { "2027-02-22T09:00Z" } else { "2026-11-24T09:00Z" }
        });
        let text = Regex::new(r"in [0-9]+\.[0-9] s\b").unwrap().replace_all(&text, "in 0.0 s");
        Regex::new(r"\b1[0-9]{9}\b").unwrap().replace_all(&text, "1795510800").into_owned()
    }
}

/// The help of every command, each under its own heading.
fn all_help() -> String {
    let mut text = String::from("## Every command\n");
    let mut todo = vec![Vec::new()];
    while let Some(command) = todo.pop() {
        let help = help(&command);
        let inner =
            names(&help).into_iter().rev().map(|name| [command.clone(), vec![name]].concat());
        todo.extend(inner);
        let title = [vec!["rollbook".to_owned()], command].concat().join(" ");
        let _ = write!(text, "\n### `{title}`\n\n```text\n{}\n```\n", help.trim_end());
    }
    text
}

fn help(command: &[String]) -> String {
    let mut arguments: Vec<_> = command.iter().map(String::as_str).collect();
    arguments.push("--help");
    let start = Start::program(&arguments).env("COLUMNS", "100");
    let (code, help, _) = start.run();
    assert_eq!(code, 0);
    help
}

/// The commands that a help lists, between its usage and its options.
fn names(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| !line.starts_with("Usage:"));
    let lines =
        lines.take_while(|line| !line.starts_with("Options:") && !line.starts_with("Arguments:"));
    let names = lines.filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}
