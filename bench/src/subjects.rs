//! The subjects of a group while it is measured, with the servers they need.

use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::task::spawn_blocking;

use crate::disk::Place;
use crate::fill::Filled;
use crate::groups::{Group, Pace, StoreId, Subject, What};
use crate::processes::{Log, Server};
use crate::run::Bench;
use crate::tally::Tally;
use crate::traffic::{Asks, Traffic};
use crate::{disk, load, open_loop, pgbench, refresh};

/// A subject that can be measured.
pub struct Running {
    name: String,
    connections: u64,
    pace: Pace,
    is_compared: bool,
    kind: Kind,
}

enum Kind {
    Http(Http),
    Disk { place: Place, folder: PathBuf },
    Pgbench { url: String, filled: Arc<Filled>, folder: PathBuf },
}

/// A server and what is asked of it. All answers are of one size.
struct Http {
    server: Rc<Server>,
    traffic: Arc<Traffic>,
    bytes: usize,
    /// Servers that this one needs.
    _behind: Vec<Rc<Server>>,
}

impl Running {
    /// Starts what the group needs, first the program, because the bare servers repeat its answers.
    pub fn all(group: &Group, bench: &mut Bench) -> Result<Vec<Self>> {
        let mut servers = Servers(Vec::new());
        let mut kinds = Vec::new();
        for subject in &group.subjects {
            let kind = match subject.what {
                What::Limit => None,
                What::Rollbook { store, log, asks } => {
                    Some(Kind::Http(servers.http(bench, store, log, asks)?))
                }
                What::Nginx { store, asks } => {
                    Some(Kind::Http(servers.behind_nginx(bench, store, asks)?))
                }
                What::Disk(place) => {
                    let folder = bench.folder.path().to_owned();
                    Some(Kind::Disk { place, folder })
                }
                What::Pgbench { store } => {
                    let place = bench.stores.get(store, &bench.progress)?;
                    let (url, filled) = (place.url()?, Arc::clone(&place.filled));
                    let folder = bench.folder.path().to_owned();
                    Some(Kind::Pgbench { url, filled, folder })
                }
            };
            kinds.push(kind);
        }
        let limits = (0..kinds.len()).map(|place| match kinds[place] {
            None => limit(group, place, &kinds, bench).map(Some),
            Some(_) => Ok(None),
        });
        let limits = limits.collect::<Result<Vec<_>>>()?;
        let kinds = kinds.into_iter().zip(limits).filter_map(|(kind, limit)| kind.or(limit));
        Ok(group
            .subjects
            .iter()
            .zip(kinds)
            .map(|(subject, kind)| Self::new(subject, kind))
            .collect())
    }

    fn new(subject: &Subject, kind: Kind) -> Self {
        let Subject { name, connections, pace, beside, .. } = subject;
        let (name, connections, pace) = (name.clone(), *connections, *pace);
        Self { name, connections, pace, is_compared: beside.is_some(), kind }
    }

    /// Whether its saturation decides how often everybody is asked.
    pub fn is_reference(&self) -> bool {
        self.pace == Pace::Half && self.is_compared
    }

    /// Measures it for so long. Without a rate as fast as it can.
    pub async fn round(&mut self, length: Duration, rate: Option<f64>) -> Result<Tally> {
        let tally = match &self.kind {
            Kind::Http(http) => http.round(self.connections, length, rate).await,
            Kind::Disk { place, folder } => {
                let (place, folder) = (*place, folder.clone());
                spawn_blocking(move || disk::round(&folder, place, length)).await?
            }
            Kind::Pgbench { url, filled, folder } => {
                let (url, filled, folder) = (url.clone(), Arc::clone(filled), folder.clone());
                spawn_blocking(move || pgbench::round(&url, &filled, &folder, length)).await?
            }
        };
        tally.with_context(|| format!("measuring {}", self.name))
    }
}

impl Http {
    async fn round(&self, connections: u64, length: Duration, rate: Option<f64>) -> Result<Tally> {
        let Self { server, traffic, bytes, .. } = self;
        match rate {
            _ if traffic.asks == Asks::Refresh => {
                refresh::round(server, traffic, connections).await
            }
            None => load::round(server, traffic, connections, length, *bytes).await,
            Some(rate) => {
                open_loop::round(server, traffic, connections, length, *bytes, rate).await
            }
        }
    }
}

/// The program, once for each store and kind of log.
struct Servers(Vec<(StoreId, Log, Rc<Server>)>);

impl Servers {
    fn http(&mut self, bench: &mut Bench, store: StoreId, log: Log, asks: Asks) -> Result<Http> {
        let file = bench.file(&format!("{}.log", self.0.len()));
        let place = bench.stores.get(store, &bench.progress)?;
        let known = self.0.iter().find(|(id, kind, _)| (*id, *kind) == (store, log));
        let server = match known {
            Some((_, _, server)) => Rc::clone(server),
            None => Rc::new(Server::rollbook(&place.url()?, log, &file)?),
        };
        self.0.push((store, log, Rc::clone(&server)));
        let traffic = Arc::new(Traffic::new(server.address, asks, Arc::clone(&place.filled))?);
        let bytes = bench.runtime.block_on(load::capture(&traffic))?.body().len();
        Ok(Http { server, traffic, bytes, _behind: Vec::new() })
    }
}

impl Servers {
    /// A bare server behind nginx, which is configured as the documentation shows. The time of the processor is nginx's.
    fn behind_nginx(&mut self, bench: &mut Bench, store: StoreId, asks: bool) -> Result<Http> {
        let program = self.http(bench, store, Log::Requests, Asks::Forward)?;
        let (answer, log) = (bench.file("behind.json"), bench.file("behind.log"));
        bench.runtime.block_on(load::capture(&program.traffic))?.write(&answer)?;
        let bare = Server::limit(&answer, &log)?;
        let folder = bench.file(if asks { "nginx-asks" } else { "nginx" });
        let nginx = Server::nginx(&folder, program.server.address, bare.address, asks)?;
        let filled = Arc::clone(&program.traffic.filled);
        let traffic = Arc::new(Traffic::new(nginx.address, Asks::Behind, filled)?);
        let bytes = bench.runtime.block_on(load::capture(&traffic))?.body().len();
        Ok(Http {
            server: Rc::new(nginx),
            traffic,
            bytes,
            _behind: vec![program.server, Rc::new(bare)],
        })
    }
}

/// A bare server with an answer of the first subject that is compared with the one at this place.
fn limit(group: &Group, place: usize, kinds: &[Option<Kind>], bench: &Bench) -> Result<Kind> {
    let mut pairs = group.subjects.iter().zip(kinds);
    let compared = pairs.find_map(|(subject, kind)| match kind {
        Some(Kind::Http(http)) if subject.beside == Some(place) => Some(http),
        _ => None,
    });
    let model = &compared.context("nobody is beside a limit")?.traffic;
    let answer = bench.runtime.block_on(load::capture(model))?;
    let (file, log) =
        (bench.file(&format!("answer{place}.json")), bench.file(&format!("limit{place}.log")));
    answer.write(&file)?;
    let server = Server::limit(&file, &log)?;
    let traffic = Arc::new(Traffic::new(server.address, model.asks, Arc::clone(&model.filled))?);
    let (server, bytes) = (Rc::new(server), answer.body().len());
    Ok(Kind::Http(Http { server, traffic, bytes, _behind: Vec::new() }))
}
