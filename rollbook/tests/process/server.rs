//! A server process: started on a free port, waited for by its log, killed when it is dropped.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::spawn;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::database::Database;

/// The key of every server that is started with one.
pub const KEY: &str = "sk-admin-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ";
/// Longer than anything a test waits for, on a busy machine too.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server about to be started.
pub struct Start(Command);

impl Start {
    /// `rollbook` with these arguments, knowing nothing of this process's settings.
    pub fn program(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rollbook"));
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("ROLLBOOK_"))
        {
            command.env_remove(name);
        }
        Self(command)
    }

    /// `rollbook serve` on this store and a free port, without a key of its own.
    pub fn serve(database: &Database) -> Self {
        let mut start =
            Self::program(&["serve", "--listen", "127.0.0.1:0", "--database", &database.url]);
        start.0.current_dir(database.folder());
        start
    }

    /// The same with [`KEY`] as the first key.
    pub fn with_key(database: &Database) -> Self {
        Self::serve(database).env("ROLLBOOK_BOOTSTRAP_KEY", KEY)
    }

    pub fn flag(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.arg(name).arg(value);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    /// Reads its input from somebody.
    pub fn stdin(mut self, stdin: impl Into<Stdio>) -> Self {
        self.0.stdin(stdin);
        self
    }

    /// Shows its output to somebody else, for example a terminal.
    pub fn stdout(mut self, stdout: impl Into<Stdio>) -> Self {
        self.0.stdout(stdout);
        self
    }

    /// Starts it and answers once it listens.
    pub fn start(self) -> Server {
        let mut server = self.spawn();
        server.wait_until_listening();
        server
    }

    /// Starts it without waiting.
    pub fn spawn(mut self) -> Server {
        let mut child = self.0.spawn().unwrap();
        let stdout = child.stdout.take().map(Lines::of);
        let log = Lines::of(child.stderr.take().unwrap());
        Server { child, stdout, log, url: String::new() }
    }

    /// Runs it to its end: the exit code, standard output and standard error.
    pub fn run(mut self) -> (i32, String, String) {
        let output = self.0.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }
}

/// A server that runs.
pub struct Server {
    child: Child,
    stdout: Option<Lines>,
    /// What it said on standard error.
    pub log: Lines,
    /// Where it listens, for example `http://127.0.0.1:12345`.
    pub url: String,
}

impl Server {
    pub fn wait_until_listening(&mut self) {
        let line = self.log.wait_for("listening on ");
        let (_, rest) = line.split_once("listening on ").unwrap();
        rest.split(['"', ' ']).next().unwrap().clone_into(&mut self.url);
    }

    pub fn address(&self) -> SocketAddr {
        self.url.split("//").nth(1).unwrap().parse().unwrap()
    }

    /// Where its metrics are.
    pub fn metrics_url(&self) -> String {
        let line = self.log.wait_for("metrics on ");
        line.split_once("metrics on ").unwrap().1.split(['"', ' ']).next().unwrap().to_owned()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// SIGTERM; answers what it said on standard output and standard error in all its life.
    pub fn stop(mut self) -> (String, String) {
        self.signal(Signal::TERM);
        let status = self.wait();
        let log = self.log.all();
        assert_eq!(status.code(), Some(0), "{log}");
        (self.stdout.as_ref().map(Lines::all).unwrap_or_default(), log)
    }

    /// Standard output up to a line with this in it.
    pub fn stdout_until(&self, text: &str) -> String {
        let stdout = self.stdout.as_ref().expect("standard output is ours");
        stdout.wait_for(text);
        stdout.0.0.lock().unwrap().lines.join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines of a stream as they come in.
pub struct Lines(Arc<(Mutex<Seen>, Condvar)>);

#[derive(Default)]
struct Seen {
    lines: Vec<String>,
    is_over: bool,
}

impl Lines {
    pub fn of(stream: impl Read + Send + 'static) -> Self {
        let shared = Arc::<(Mutex<Seen>, Condvar)>::default();
        let filled = Arc::clone(&shared);
        spawn(move || {
            let (seen, news) = &*filled;
            // A terminal ends with an error instead of an end.
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                seen.lock().unwrap().lines.push(line);
                news.notify_all();
            }
            seen.lock().unwrap().is_over = true;
            news.notify_all();
        });
        Self(shared)
    }

    /// The first line with this text in it.
    pub fn wait_for(&self, text: &str) -> String {
        let find = |seen: &Seen| seen.lines.iter().find(|line| line.contains(text)).cloned();
        let (seen, news) = &*self.0;
        let is_waiting = |seen: &mut Seen| find(seen).is_none() && !seen.is_over;
        let (seen, _) =
            news.wait_timeout_while(seen.lock().unwrap(), PATIENCE, is_waiting).unwrap();
        find(&seen).unwrap_or_else(|| panic!("no line says {text:?}:\n{}", seen.lines.join("\n")))
    }

    /// Everything, once the stream is over.
    pub fn all(&self) -> String {
        let (seen, news) = &*self.0;
        let (seen, _) =
            news.wait_timeout_while(seen.lock().unwrap(), PATIENCE, |seen| !seen.is_over).unwrap();
        assert!(seen.is_over, "the stream goes on:\n{}", seen.lines.join("\n"));
        seen.lines.join("\n")
    }
}
