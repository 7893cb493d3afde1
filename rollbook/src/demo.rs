//! `rollbook demo`: a made-up organization in memory, for looking around with curl.
//!
//! Everybody knows its key, so only this machine may reach it, and no web page through a browser on this machine.

mod usage;

use std::io::{Write, stdout};
use std::net::{IpAddr, SocketAddr};

use admin::domain::secret::PlainKey;
use admin::error::{Error, Kind};
use anyhow::{Result, ensure};
use axum::Router;
use axum::extract::Request;
use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use rollbook::population::Population;
use sql::Store;

use crate::config::{Settings, Usage};
use crate::gate::Gate;
use crate::key_file::MEMORY;
use crate::{configured, log, serve};

/// The key, known to everybody who has this program.
const KEY: &str = "sk-admin-demo-everybody-knows-this-key-so-it-opens-nothing-but-the-demo";
const PEOPLE: usize = 300;
/// The projects, and which of the people are in each.
const PROJECTS: [(&str, std::ops::Range<usize>); 11] = [
    ("Storefront", 0..250),
    ("Search", 30..120),
    ("Recommendations", 100..164),
    ("Support assistant", 200..300),
    ("Translations", 40..61),
    ("Fraud detection", 7..27),
    ("Invoices", 270..289),
    ("Data platform", 150..195),
    ("Research", 290..293),
    ("Onboarding", 12..13),
    ("Skunkworks", 0..0),
];
/// One more, which was archived when it still had members.
const ARCHIVED: (&str, std::ops::Range<usize>) = ("Chatbot 2023", 60..100);

/// The models, and what they have: requests and tokens a minute, images and audio, requests and tokens of batches a day.
const MODELS: [(&str, [Option<i64>; 6]); 3] = [
    ("gpt-4o", [Some(500), Some(30_000), None, None, None, Some(90_000)]),
    ("gpt-image-1", [Some(50), Some(10_000), Some(5), None, None, None]),
    ("tts-1", [Some(50), None, None, Some(25), Some(1_000), None]),
];

/// Serves the demo until a signal.
pub fn run(listen: SocketAddr) -> Result<()> {
    let usage = || {
        Usage(format!(
            "{listen} can be reached from other machines, and everybody knows the demo's key; \
             choose a loopback address such as 127.0.0.1:8080"
        ))
    };
    ensure!(listen.ip().is_loopback(), usage());
    let price = usage::PRICES.iter().map(|price| price.parse()).collect::<Result<_, String>>();
    let price = price.map_err(Usage)?;
    let settings = Settings { listen, database: MEMORY.to_owned(), price, ..Settings::default() };
    log::start(settings.log_format, settings.log_level);
    let (runtime, beside) = (serve::runtime()?, serve::beside()?);
    let gate = Gate::new(&runtime, &settings)?;
    let store = serve::open(&settings)?;
    let places = fill(&store)?;
    configured::apply(&store, &settings)?;
    let app = serve::app(&beside, &store, &settings, &gate.url());
    let router = serve::service(&app)?.router;
    runtime.block_on(usage::report(router.clone(), &places.users))?;
    // Nothing may be answered before it is clear that the request comes from this machine.
    let router = local_only(router, listen);
    introduce(&places, &gate.url())?;
    runtime.block_on(serve::serve_beside(gate, router.into(), &app, &settings, None))?;
    store.close();
    Ok(())
}

/// What the introduction points at.
struct Places {
    /// The project with many members.
    large: String,
    /// The id of the third of them: the end of a first page of three.
    third: String,
    /// The project that is archived.
    archived: String,
    /// The projects with members, each with one of them.
    users: Vec<(String, String)>,
}

fn fill(store: &Store) -> Result<Places> {
    let population = Population::found(
        store,
        PlainKey::given(KEY.to_owned()),
        "owner@example.com",
        "Demo Owner",
    )?;
    for (name, limits) in MODELS {
        population.add_model(name, limits)?;
    }
    let people = population.add_people(0..PEOPLE)?;
    let mut projects = Vec::new();
    for (name, members) in PROJECTS {
        projects.push(population.add_project(name, &people[members])?);
    }
    let (name, members) = ARCHIVED;
    let archived = population.archive(population.add_project(name, &people[members])?)?;
    // Ids sort by creation, so the first people come first in every list.
    let members = projects.iter().zip(&PROJECTS).filter(|(_, (_, members))| !members.is_empty());
    let users = members
        .map(|(project, (_, members))| (project.id.clone(), people[members.start].id.clone()));
    Ok(Places {
        large: projects[0].id.clone(),
        third: people[2].id.clone(),
        archived: archived.id,
        users: users.collect(),
    })
}

fn introduce(places: &Places, url: &str) -> Result<()> {
    let Places { large, third, archived, .. } = places;
    let (name, count, gone) = (PROJECTS[0].0, PROJECTS[0].1.len(), ARCHIVED.0);
    let curl = format!("curl -s -H 'Authorization: Bearer {KEY}'");
    let members = |project: &str, query: &str| {
        format!("  {curl} '{url}/v1/organization/projects/{project}/users?{query}'")
    };
    Ok(writeln!(
        stdout(),
        "A made-up organization of {PEOPLE} people, in memory. It listens at {url} and its key is\n{KEY}\n\n\
         Three of the {count} members of \"{name}\":\n{}\n\n\
         The next three, after the last of those:\n{}\n\n\
         \"{gone}\" is archived, so its members are not listed:\n{}\n\n\
         What the projects used in the last 30 days, and what it cost:\n  \
         ROLLBOOK_ADMIN_KEY={KEY} rollbook usage show --by project --server {url}\n  \
         ROLLBOOK_ADMIN_KEY={KEY} rollbook usage show --kind costs --server {url}\n\n\
         Ctrl-C stops it and forgets everything.\n",
        members(large, "limit=3"),
        members(large, &format!("limit=3&after={third}")),
        members(archived, "limit=3"),
    )?)
}

/// Refuses requests for other names than this machine's own. A web page can make a browser send them here, by pointing
/// a name of its own at 127.0.0.1, and would be allowed to read the answers.
pub fn local_only(router: Router, listen: SocketAddr) -> Router {
    let own = match listen.ip() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    };
    router.layer(from_fn(move |request: Request, next: Next| {
        let is_local = is_local(&request, &own);
        async move { if is_local { next.run(request).await } else { refusal() } }
    }))
}

fn is_local(request: &Request, own: &str) -> bool {
    let header = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let name = match header {
        Some(host) => host.parse::<Authority>().ok(),
        None => request.uri().authority().cloned(),
    };
    name.is_some_and(|name| ["localhost", "127.0.0.1", "[::1]", own].contains(&name.host()))
}

fn refusal() -> Response {
    let message = "This server answers requests for localhost, 127.0.0.1 and [::1] only. Use the address that it printed.";
    Error::new(Kind::Forbidden, message).response("")
}
