//! The servers, each a process of its own, so that the system tells what it used.

use std::fs::{File, read_to_string};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// How often to look whether a server is ready. It decides how exactly the time of a start is known.
const LOOK: Duration = Duration::from_millis(1);
/// A server that is not ready by then never is.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// From before it was started to after it had said that it is ready.
    pub start: Duration,
}

/// Whether requests are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Log {
    Requests,
    Warnings,
    /// They are, but what is recorded of changes is never sealed.
    Unsealed,
}

impl Server {
    /// The program, as in production: it logs into a file, counts requests for the metrics, and keeps all deadlines.
    pub fn rollbook(database: &str, log: Log, file: &Path) -> Result<Self> {
        let level = match log {
            Log::Requests | Log::Unsealed => "info",
            Log::Warnings => "warn",
        };
        let mut command = Command::new(beside("rollbook")?);
        let address = free_address()?;
        command.args(["serve", "--listen", &address.to_string()]);
        command.args(["--metrics-listen", "127.0.0.1:0"]);
        command.args(["--log-level", level, "--log-format", "json"]);
        command.env("ROLLBOOK_DATABASE", database);
        if log == Log::Unsealed {
            command.args(["--audit-seal-interval", "0"]);
        }
        Self::start(command, address, file)
    }

    /// The bare server that repeats what is in this file.
    pub fn limit(answer: &Path, file: &Path) -> Result<Self> {
        let mut command = Command::new(beside("rollbook-limit")?);
        let address = free_address()?;
        command.arg(answer).arg(address.to_string());
        Self::start(command, address, file)
    }

    /// nginx in front of the server of the models, in one process, configured as docs/check.md shows; or the same without the
    /// question about each request.
    pub fn nginx(
        folder: &Path,
        program: SocketAddr,
        models: SocketAddr,
        asks: bool,
    ) -> Result<Self> {
        let address = free_address()?;
        std::fs::create_dir_all(folder)?;
        let mut example = example()?;
        for (written, real) in [
            ("127.0.0.1:8080", program.to_string()),
            ("127.0.0.1:9000", models.to_string()),
            ("listen 8000;", format!("listen {address}; location = /readyz {{ return 200; }}")),
        ] {
            example = example.replace(written, &real);
        }
        if !asks {
            example = example.replace("auth_request /_check;", "");
        }
        let places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let places = places.map(|name| format!("{name}_temp_path {name};")).concat();
        let text = format!(
            "daemon off; master_process off; pid nginx.pid; error_log stderr; events {{ worker_connections 4096; }}
             http {{ access_log off; keepalive_requests 1000000000; {places} {example} }}"
        );
        std::fs::write(folder.join("nginx.conf"), text)?;
        let mut command = Command::new("nginx");
        command.arg("-p").arg(folder).args(["-c", "nginx.conf", "-e", "stderr"]);
        Self::start(command, address, &folder.join("nginx.log"))
    }

    fn start(mut command: Command, address: SocketAddr, file: &Path) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(file)?);
        let begun = Instant::now();
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let mut server = Self { child, address, start: Duration::ZERO };
        while begun.elapsed() < PATIENCE {
            if is_ready(address) {
                server.start = begun.elapsed();
                return Ok(server);
            }
            if let Some(status) = server.child.try_wait()? {
                bail!("the server ended ({status}): {}", read_to_string(file)?);
            }
            #[expect(clippy::disallowed_methods, reason = "nobody tells when a port is open")]
            sleep(LOOK);
        }
        bail!("the server does not get ready: {}", read_to_string(file)?)
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

    /// Its memory in MiB: `VmRSS` is what is resident, `VmHWM` the most that ever was.
    pub fn memory(&self, field: &str) -> Result<f64> {
        memory(self.child.id(), field)?.context("the server has no memory")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Memory of a process in MiB; nothing if it has none any more, because it has ended.
pub fn memory(process: u32, field: &str) -> Result<Option<f64>> {
    let text = read_to_string(format!("/proc/{process}/status"))
        .context("memory is read from /proc, which only Linux has")?;
    Ok(memory_in(&text, field))
}

fn memory_in(status: &str, field: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    let kibibytes: u32 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(f64::from(kibibytes) / 1024.0)
}

/// Whether there is an nginx that can be started.
pub fn look_for_nginx() -> Result<()> {
    let asked = Command::new("nginx").arg("-v").stderr(Stdio::null()).status();
    asked.map(drop).context("nginx is missing; scripts/install-test-tools installs it")
}

/// What the documentation shows.
fn example() -> Result<String> {
    let document = include_str!("../../docs/check.md");
    let rest = document.split_once("```nginx\n").context("docs/check.md has no example")?.1;
    Ok(rest.split("```").next().unwrap_or_default().to_owned())
}

/// A place to listen at. Given to the server and not found out from it, because without its log it does not say where it listens.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn is_ready(address: SocketAddr) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect(address)?;
        stream
            .write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        std::io::Result::Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with(b"HTTP/1.1 200 "))
}

/// A program that was built together with this one.
pub fn beside(name: &str) -> Result<PathBuf> {
    let program = std::env::current_exe()?.with_file_name(name);
    ensure!(program.exists(), "{} is not built; use make bench", program.display());
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_in_mebibytes() {
        let status = "VmHWMark:\t1 kB\nVmHWM:\t    2048 kB\nVmRSS:\t 512 kB\n";
        assert_eq!(memory_in(status, "VmHWM"), Some(2.0));
        assert_eq!(memory_in(status, "VmRSS"), Some(0.5));
        assert_eq!(memory_in(status, "VmSwap"), None);
    }
}
