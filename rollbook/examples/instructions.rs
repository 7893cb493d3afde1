//! Answers so many requests of one kind, for a tool that counts instructions.
//!
//! Run with two counts, the difference is what so many more requests take, whatever the preparation takes: `scripts/instructions`
//! does that. Everything is on that a request meets in production, except for the socket: the log is written, but to nowhere.
//!
//! ```sh
//! instructions --kind page --requests 100
//! ```

use std::path::Path;
use std::sync::Arc;

use admin::domain::clock::{SystemClock, SystemRandom};
use admin::domain::secret::PlainKey;
use admin::{App, Recall, Settings};
use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::AUTHORIZATION;
use axum::http::{Method, Request, StatusCode};
use clap::{Parser, ValueEnum};
use rollbook::population::Population;
use serde_json::json;
use sql::{Options, Store};
use tower::ServiceExt;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const KEY: &str = "sk-admin-0000000000000000000000000000000000000000000000000";

/// Whatever is asked, so that the preparation is always the same.
const PEOPLE: usize = 300;

/// Answers so many requests of one kind
#[derive(Parser)]
struct Flags {
    /// What is asked
    #[arg(long)]
    kind: Kind,
    /// How often
    #[arg(long)]
    requests: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// The same page again
    Kept,
    /// A page of 20 members that was not asked for before
    Page,
    /// One member that was not asked for before
    Member,
    /// A new member
    Add,
    /// The same key again, whether it may use a model
    Check,
}

/// What a request names.
struct Places {
    users: Vec<String>,
    full: String,
    empty: String,
    /// A key for the full project.
    key: String,
}

fn main() -> Result<()> {
    let flags = Flags::parse();
    let log = tracing_subscriber::fmt().json().flatten_event(true).with_writer(std::io::sink);
    log.init();
    let folder = tempfile::tempdir()?;
    let (store, places) = filled(folder.path())?;
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    let app = App::new(store.clone(), clock, random, Settings::default());
    let (router, recall) = (admin::router(app.clone()), Recall::new(app));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for number in 0..flags.requests {
        runtime.block_on(ask(&router, &recall, request(flags.kind, &places, number)?))?;
    }
    store.close();
    Ok(())
}

fn filled(folder: &Path) -> Result<(Store, Places)> {
    let store = Store::open(Options::new(format!("sqlite:{}", folder.join("store.db").display())))?;
    store.migrate(&admin::migrations())?;
    let key = PlainKey::given(KEY.to_owned());
    let population = Population::found(&store, key, "owner@example.com", "Owner")?;
    let people = population.add_people(0..PEOPLE)?;
    let full = population.add_project("Full", &people)?;
    let owner = people.first().context("there are people")?;
    let key = population.add_key(&full, owner, None)?;
    let empty = population.add_project("Empty", &[])?.id;
    let users = people.into_iter().map(|user| user.id).collect();
    Ok((store, Places { users, full: full.id, empty, key }))
}

fn request(kind: Kind, places: &Places, number: usize) -> Result<Request<Body>> {
    let Places { users, full, empty, key } = places;
    let path =
        |project: &str, rest: &str| format!("/v1/organization/projects/{project}/users{rest}");
    let user = users.get(number).context("there are not so many people")?;
    let (method, path, body) = match kind {
        Kind::Kept => (Method::GET, path(full, "?limit=20"), Body::empty()),
        Kind::Page => (Method::GET, path(full, &format!("?limit=20&after={user}")), Body::empty()),
        Kind::Member => (Method::GET, path(full, &format!("/{user}")), Body::empty()),
        Kind::Add => {
            let body = json!({ "user_id": user, "role": "member" });
            (Method::POST, path(empty, ""), Body::from(body.to_string()))
        }
        Kind::Check => (Method::POST, "/rollbook/v1/check".to_owned(), Body::empty()),
    };
    let key = if kind == Kind::Check { key } else { KEY };
    let request = Request::builder().method(method).uri(path);
    Ok(request.header(AUTHORIZATION, format!("Bearer {key}")).body(body)?)
}

async fn ask(router: &Router, recall: &Recall, request: Request<Body>) -> Result<()> {
    let response = if let Some(response) = recall.answer(&request) {
        response
    } else if recall.is_check(&request) {
        match recall.check(request).await {
            Ok(response) => response,
            Err(request) => router.clone().oneshot(request).await?,
        }
    } else {
        router.clone().oneshot(request).await?
    };
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await?;
    ensure!(status == StatusCode::OK, "{status}: {body:?}");
    Ok(())
}
