//! The servers, each a process of its own, so that the system tells what it used.

use std::fs::{File, read_to_string};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

/// How often, and how many times, to look whether a server listens: for a minute.
const LOOK: Duration = Duration::from_millis(20);
const LOOKS: usize = 3000;

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
}

impl Server {
    /// The program, as in production: it logs every request into a file, counts it for the metrics, and keeps all deadlines.
    pub fn rollbook(database: &str, log: &Path) -> Result<Self> {
        let mut command = Command::new(beside("rollbook")?);
        command.args(["serve", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"]);
        command.args(["--log-level", "info", "--log-format", "json"]);
        command.env("ROLLBOOK_DATABASE", database);
        Self::start(command, log)
    }

    /// The bare server that repeats what is in this file.
    pub fn limit(answer: &Path, log: &Path) -> Result<Self> {
        let mut command = Command::new(beside("rollbook-limit")?);
        command.arg(answer);
        Self::start(command, log)
    }

    fn start(mut command: Command, log: &Path) -> Result<Self> {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(log)?)
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let mut server = Self { child, address: ([127, 0, 0, 1], 0).into() };
        for _ in 0..LOOKS {
            if let Some(address) = address_in(&read_to_string(log)?) {
                server.address = address?;
                return Ok(server);
            }
            if let Some(status) = server.child.try_wait()? {
                bail!("the server ended ({status}): {}", read_to_string(log)?);
            }
            #[expect(clippy::disallowed_methods, reason = "a file does not tell when it grows")]
            sleep(LOOK);
        }
        bail!("the server does not listen: {}", read_to_string(log)?)
    }

    /// The processor time it has used, in microseconds. Counted by the system in steps of 10 ms.
    pub fn cpu_micros(&self) -> Result<f64> {
        let text = read_to_string(format!("/proc/{}/stat", self.child.id()))
            .context("processor time is read from /proc, which only Linux has")?;
        // The name, in parentheses, may hold spaces; user and system time are the 12th and 13th value behind it.
        let (_, values) = text.rsplit_once(')').context("no name in /proc/PID/stat")?;
        let ticks: Vec<u32> =
            values.split_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
        ensure!(ticks.len() == 2, "no times in /proc/PID/stat");
        #[expect(clippy::cast_precision_loss, reason = "a hundred or a thousand")]
        let per_second = rustix::param::clock_ticks_per_second() as f64;
        Ok(ticks.into_iter().map(f64::from).sum::<f64>() / per_second * 1e6)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The metrics have a listener too, but it says `metrics on`.
fn address_in(log: &str) -> Option<Result<SocketAddr>> {
    // A line that is not complete yet might hold half an address.
    let line = log
        .split_inclusive('\n')
        .find(|line| line.contains("listening on http://") && line.ends_with('\n'))?;
    let (_, rest) = line.split_once("listening on http://")?;
    let address = rest.split(['"', ' ', '\n']).next().unwrap_or_default();
    Some(address.parse().with_context(|| format!("no address in: {line}")))
}

fn beside(name: &str) -> Result<std::path::PathBuf> {
    let program = std::env::current_exe()?.with_file_name(name);
    ensure!(program.exists(), "{} is not built; use make bench", program.display());
    Ok(program)
}
