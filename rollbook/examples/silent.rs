//! Measures what silent connections cost everybody else: the 99th percentile of a list's time without and with them.
//!
//! ```sh
//! cargo build --release -p rollbook --bins --examples && target/release/examples/silent --connections 2000
//! ```

use std::io::{BufRead, BufReader, Read, Write, stdout};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread::{scope, spawn};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use tempfile::tempdir;

const KEY: &str = "sk-admin-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ";
/// How much slower others may get.
const MOST: f64 = 2.0;

/// Files that this process needs beside the connections.
const OTHER_FILES: u64 = 100;

/// Compares the time of requests without and with silent connections.
#[derive(Parser)]
struct Flags {
    /// How many connections say nothing
    #[arg(long, default_value = "2000")]
    connections: usize,
    /// How many requests each client makes
    #[arg(long, default_value = "5000")]
    requests: usize,
    /// How many clients make requests at the same time
    #[arg(long, default_value = "4")]
    clients: usize,
    /// The server's header timeout; it must outlast the measurement
    #[arg(long, default_value = "15")]
    header_timeout: u32,
}

fn main() -> Result<()> {
    let flags = Flags::parse();
    rlimit::increase_nofile_limit(flags.connections as u64 + OTHER_FILES)?;
    let folder = tempdir()?;
    let url = format!("sqlite:{}", folder.path().join("rollbook.db").display());
    let server = Server::start(&url, flags.header_timeout)?;

    percentile(&server, &flags)?; // warms up
    let without = percentile(&server, &flags)?;
    let opened = Instant::now();
    let silent = (0..flags.connections)
        .map(|_| TcpStream::connect(&server.address))
        .collect::<std::io::Result<Vec<_>>>()?;
    let opening = opened.elapsed();
    let with = percentile(&server, &flags)?;
    let measured = opened.elapsed();
    ensure!(
        measured.as_secs() < flags.header_timeout.into(),
        "the measurement took {measured:?}, longer than the silent connections live; raise --header-timeout"
    );
    let (closed, last) = await_end(silent, opened)?;
    let ratio = with.as_secs_f64() / without.as_secs_f64();
    writeln!(
        stdout(),
        "p99 without silent connections: {without:?}\n\
         p99 with {} of them:           {with:?}\n\
         ratio:                          {:.2}\n\
         closed by the server:           {closed}, the last {last:?} after the first was opened (opening took {opening:?})",
        flags.connections,
        ratio,
    )?;
    ensure!(ratio <= MOST, "the other clients noticed: p99 is more than {MOST} times what it was");
    Ok(())
}

/// How many were closed in order, and when the last one was.
fn await_end(silent: Vec<TcpStream>, opened: Instant) -> Result<(usize, Duration)> {
    let mut closed = 0;
    for mut stream in silent {
        stream.set_read_timeout(Some(Duration::from_mins(1)))?;
        closed += usize::from(stream.read(&mut [0])? == 0);
    }
    Ok((closed, opened.elapsed()))
}

fn percentile(server: &Server, flags: &Flags) -> Result<Duration> {
    let one = || times(&server.address, flags.requests);
    let times: Result<Vec<Vec<Duration>>> = scope(|scope| {
        let clients: Vec<_> = (0..flags.clients).map(|_| scope.spawn(one)).collect();
        clients.into_iter().map(|client| client.join().expect("a client does not panic")).collect()
    });
    let mut times = times?.concat();
    times.sort();
    times.get(times.len() * 99 / 100).copied().context("no request was made")
}

fn times(address: &str, count: usize) -> Result<Vec<Duration>> {
    let agent = ureq::Agent::new_with_defaults();
    let url = format!("http://{address}/v1/organization/users");
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let started = Instant::now();
        agent
            .get(&url)
            .header("authorization", format!("Bearer {KEY}"))
            .call()?
            .body_mut()
            .read_to_vec()?;
        times.push(started.elapsed());
    }
    Ok(times)
}

/// The server beside this example, on a store of its own.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(database: &str, header_timeout: u32) -> Result<Self> {
        let program =
            std::env::current_exe()?.parent().context("no folder")?.with_file_name("rollbook");
        let mut child = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--database", database])
            .args(["--header-timeout", &header_timeout.to_string()])
            .env("ROLLBOOK_BOOTSTRAP_KEY", KEY)
            .stderr(Stdio::piped())
            .spawn()
            .context("the server is not built; run: cargo build --release -p rollbook")?;
        let mut log = BufReader::new(child.stderr.take().context("no log")?);
        let mut line = String::new();
        while !line.contains("listening on ") {
            line.clear();
            ensure!(log.read_line(&mut line)? > 0, "the server ended before it listened");
        }
        // Nobody reads the log, but a full pipe would stop the server.
        spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        let (_, rest) = line.split_once("http://").context("no address")?;
        Ok(Self { child, address: rest.split('"').next().unwrap_or_default().to_owned() })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
