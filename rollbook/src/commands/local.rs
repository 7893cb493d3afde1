//! The near road: the API itself, called in this process. The same rules, the same record, and no key.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use admin::App;
use admin::access::{Caller, Circumstances, Credential, Operator, identify};
use admin::audit::{Author, EVENTS_PER_CHANGE, Origin};
use admin::domain::clock::{Clock, SystemClock, SystemRandom};
use admin::domain::id::Ids;
use admin::domain::scope::Scope;
use admin::error;
use admin::kept::Kept;
use admin::organization;
use anyhow::{Context, Result};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use sql::{Options, Store, Tx};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

use super::exchange::{self, Answer};
use super::failure::Failure;
use crate::config::Usage;
use crate::key_file::MEMORY;
use crate::log;

/// What the record says of the client.
pub const AGENT: &str = concat!("rollbook/", env!("CARGO_PKG_VERSION"));

/// The API on a store of this machine.
pub struct Local {
    runtime: Runtime,
    router: Router,
    operator: Operator,
    store: Store,
}

impl Local {
    /// Opens the store for somebody who acts in it, as a server with these settings would serve it.
    pub fn open(url: &str, operator: Operator, settings: admin::Settings) -> Result<Self> {
        let store = open_current(url)?;
        // What goes wrong inside is told to nobody else than the log, and here that is the operator's terminal.
        log::start_for_command();
        let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        let app = App::new(store.clone(), clock, random, settings);
        let runtime = Builder::new_current_thread().enable_time().build();
        let runtime = runtime.context("cannot start what serves the request")?;
        Ok(Self { runtime, router: admin::router(app), operator, store })
    }

    /// Answers a request as the server would.
    pub fn send(&self, request: exchange::Request<'_>) -> Result<Answer> {
        let body = request.body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let request = Request::builder()
            .method(request.method)
            .uri(request.target())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, AGENT)
            .extension(self.operator.clone())
            .body(body)?;
        self.runtime.block_on(async {
            let Ok(response) = self.router.clone().oneshot(request).await;
            let status = response.status().as_u16();
            let bytes = to_bytes(response.into_body(), usize::MAX).await?;
            Ok((status, serde_json::from_slice(&bytes)?))
        })
    }

    /// Reads something that the API has no operation for, of the operator's organization.
    pub fn read<T: Send + 'static>(
        &self,
        read: impl Fn(&mut Tx<'_>, &str) -> error::Result<T> + Send + 'static,
    ) -> Result<T> {
        let named = self.operator.organization.clone();
        let read = self.store.read_blocking(move |tx| {
            let organization = organization::find_named_or_only(tx, named.as_deref())?;
            read(tx, &organization.id)
        });
        Ok(read?)
    }

    /// Changes something that the API has no operation for, as the operator and by the same functions as the server.
    pub fn change<T: Send + 'static>(
        &self,
        change: impl Fn(&mut Tx<'_>, &Author) -> error::Result<T> + Send + 'static,
    ) -> Result<T> {
        let ids = Ids::new(Arc::new(SystemClock), Arc::new(SystemRandom));
        let at = Circumstances {
            now: SystemClock.now(),
            origin: Origin { ip_address: None, user_agent: Some(AGENT.to_owned()) },
            event_ids: ids.block(EVENTS_PER_CHANGE),
        };
        let credential = Credential::Operator(self.operator.clone());
        let known = Kept::default();
        let changed = self.store.write_blocking(move |tx| {
            let caller = Caller::new(identify(tx, &credential, at.now, &known, None)?, &at);
            caller.require(Scope::ManagementWrite)?;
            change(tx, &caller.author)
        });
        Ok(changed?)
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.store.close();
    }
}

/// The name of whoever runs this program, for the record.
pub fn user() -> String {
    whoami::username().unwrap_or_else(|_| "unknown".to_owned())
}

/// Opens a store that exists and is current. One command needs one connection.
pub fn open_current(url: &str) -> Result<Store> {
    current(open_existing(url)?)
}

/// The same for somebody who reads or writes all of it at once.
pub fn open_patiently(url: &str) -> Result<Store> {
    ensure_exists(url)?;
    current(open_within(url, PATIENCE)?)
}

/// How long a transaction may take that reads or writes a whole organization.
pub const PATIENCE: Duration = Duration::from_hours(1);

fn current(store: Store) -> Result<Store> {
    let pending = pending(&store)?;
    if pending.is_empty() {
        return Ok(store);
    }
    let message = format!("the store's tables are not current; pending: {}", pending.join(", "));
    let hint = "'rollbook migrate' or the next start of 'rollbook serve' brings them up to date";
    Err(Failure::refused(&message).note("hint", hint).into())
}

/// Opens a store without making one.
pub fn open_existing(url: &str) -> Result<Store> {
    ensure_exists(url)?;
    open(url)
}

fn ensure_exists(url: &str) -> Result<()> {
    if url == MEMORY {
        let message = "a store in memory ends with its process; --database names one that stays";
        return Err(Usage(message.to_owned()).into());
    }
    if let Some(path) = url.strip_prefix("sqlite:").filter(|path| !Path::new(path).exists()) {
        let hint = "--database names another one; 'rollbook serve' or 'rollbook migrate' makes one";
        let message = format!("there is no store at {path}");
        return Err(Failure::refused(&message).note("hint", hint).into());
    }
    Ok(())
}

/// Opens a store, making it if it is a file.
pub fn open(url: &str) -> Result<Store> {
    open_within(url, Options::new(url).deadline)
}

/// The same with this deadline for each transaction.
pub fn open_within(url: &str, deadline: Duration) -> Result<Store> {
    let options = Options { connections: 1, readers: 1, deadline, ..Options::new(url) };
    Store::open(options).context("cannot open the store")
}

/// The names of the migrations that the store lacks.
pub fn pending(store: &Store) -> Result<Vec<String>> {
    let migrations = admin::migrations();
    let runtime = Builder::new_current_thread().enable_time().build()?;
    let numbers = runtime.block_on(store.pending(&migrations)).context("cannot use the store")?;
    Ok(names(&numbers))
}

/// Migrations as people read them.
pub fn names(numbers: &[u32]) -> Vec<String> {
    let migrations = admin::migrations();
    let chosen = migrations.iter().filter(|migration| numbers.contains(&migration.number));
    chosen.map(|migration| migration.name.to_owned()).collect()
}
