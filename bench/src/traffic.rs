//! What is asked of a server: request after request, each with another key.

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request};

use crate::fill::{Filled, person, project};

/// The path of all projects.
const PROJECTS: &str = "/v1/organization/projects";

/// Where a program asks about a key, and what.
const CHECK: &str = "/rollbook/v1/check";
const QUESTION: &str = r#"{"model":"gpt-4o","permission":"api.model.request"}"#;
/// Where a proxy asks the same.
const FORWARD: &str = "/rollbook/v1/check/forward?permission=api.model.request&model=gpt-4o";

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// Pages of the first project's members.
    Members { limit: usize, from: From },
    /// One member of the first project, drawn at random.
    Member,
    /// Pages of projects, drawn at random.
    Projects { limit: usize },
    /// People come into the project without members, one after another.
    Adds,
    /// The first project's members go, one after another.
    Removes,
    /// Everything, project by project: see `refresh`.
    Refresh,
    /// Whether any of the project keys may use a model, as a program asks.
    Check,
    /// The same, as a proxy asks.
    Forward,
    /// Something of the server behind a proxy, with any of the project keys.
    Behind,
}

/// Where in its list a page lies. All pages are full, and all but the last one have more behind them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// The first page, each time.
    First,
    /// The last full page, each time.
    Last,
    /// A page that begins anywhere.
    Anywhere,
    /// A page that begins anywhere in the first tenth.
    Shallow,
    /// A page that begins anywhere in the last tenth.
    Deep,
}

/// The places of the rows, counted from 0, that such a page of a list of `size` rows may begin behind.
fn cursors(from: From, size: usize, limit: usize) -> Range<usize> {
    // Behind the last place there is one full page and nothing more.
    let last = size - limit - 1;
    match from {
        From::First => 0..0,
        From::Last => last..last + 1,
        From::Anywhere => 0..last,
        From::Shallow => 0..size / 10,
        From::Deep => size / 10 * 9..last,
    }
}

/// Requests about one store.
pub struct Traffic {
    pub address: SocketAddr,
    pub asks: Asks,
    pub filled: Arc<Filled>,
    host: HeaderValue,
    keys: Vec<HeaderValue>,
    project_keys: Vec<HeaderValue>,
    /// The path of the first page, if pages of members are asked for.
    page: String,
}

impl Traffic {
    pub fn new(address: SocketAddr, asks: Asks, filled: Arc<Filled>) -> Result<Self> {
        let header = |key: &String| HeaderValue::try_from(format!("Bearer {key}"));
        let keys = filled.keys.iter().map(header).collect::<Result<_, _>>()?;
        let project_keys = filled.project_keys.iter().map(header).collect::<Result<_, _>>()?;
        let host = HeaderValue::try_from(address.to_string())?;
        let page = match asks {
            Asks::Members { limit, .. } => page(0, limit),
            _ => String::new(),
        };
        Ok(Self { address, asks, filled, host, keys, project_keys, page })
    }

    /// The same at another server.
    pub fn elsewhere(&self, address: SocketAddr) -> Result<Self> {
        Self::new(address, self.asks, Arc::clone(&self.filled))
    }

    /// How many rows an answer has, where it is a page.
    pub fn rows(&self) -> Option<usize> {
        match self.asks {
            Asks::Members { limit, .. } | Asks::Projects { limit } => Some(limit),
            _ => None,
        }
    }

    /// The next request. All of them are answered with the same number of bytes.
    pub fn request(&self, random: &mut Rng) -> Result<Request<Full<Bytes>>> {
        let shape = self.filled.shape;
        match self.asks {
            Asks::Members { from: From::First, .. } => self.get(random, &self.page),
            Asks::Members { limit, from } => {
                let after = person(random.usize(cursors(from, shape.members, limit)));
                self.get(random, &format!("{}&after={after}", self.page))
            }
            Asks::Member => {
                let path = member(0, random.usize(..shape.members));
                self.get(random, &path)
            }
            Asks::Projects { limit } => {
                let after = project(random.usize(cursors(From::Anywhere, shape.projects, limit)));
                self.get(random, &format!("{PROJECTS}?limit={limit}&after={after}"))
            }
            Asks::Adds => {
                let user = person(self.next(&self.filled.added)?);
                let path = format!("{PROJECTS}/{}/users", project(shape.projects));
                let body = format!(r#"{{"user_id":"{user}","role":"member"}}"#);
                self.send(random, Method::POST, &path, body)
            }
            Asks::Removes => {
                let path = member(0, self.next(&self.filled.removed)?);
                self.send(random, Method::DELETE, &path, String::new())
            }
            Asks::Refresh => self.get(random, &project_path(0)),
            Asks::Check => {
                let mut request = self.ask(random, CHECK)?;
                *request.method_mut() = Method::POST;
                Ok(with_body(request, QUESTION))
            }
            Asks::Forward => self.ask(random, FORWARD),
            Asks::Behind => self.ask(random, "/v1/chat/completions"),
        }
    }

    pub fn get(&self, random: &mut Rng, path: &str) -> Result<Request<Full<Bytes>>> {
        self.with_key(random.choice(&self.keys), path)
    }

    /// Something with one of the project keys.
    fn ask(&self, random: &mut Rng, path: &str) -> Result<Request<Full<Bytes>>> {
        self.with_key(random.choice(&self.project_keys), path)
    }

    fn with_key(&self, key: Option<&HeaderValue>, path: &str) -> Result<Request<Full<Bytes>>> {
        let key = key.context("no key")?;
        let request = Request::get(path).header(HOST, &self.host).header(AUTHORIZATION, key);
        Ok(request.body(Full::default())?)
    }

    pub fn send(
        &self,
        random: &mut Rng,
        method: Method,
        path: &str,
        body: String,
    ) -> Result<Request<Full<Bytes>>> {
        let mut request = self.get(random, path)?;
        *request.method_mut() = method;
        Ok(if body.is_empty() { request } else { with_body(request, body) })
    }

    /// The next person who has not been written yet.
    fn next(&self, counter: &AtomicUsize) -> Result<usize> {
        let number = counter.fetch_add(1, Ordering::Relaxed);
        ensure!(number < self.filled.shape.members, "nobody is left to be written");
        Ok(number)
    }
}

fn with_body(mut request: Request<Full<Bytes>>, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    let json = HeaderValue::from_static("application/json");
    request.headers_mut().insert(CONTENT_TYPE, json);
    *request.body_mut() = Full::new(body.into());
    request
}

/// The path of the project with this number.
pub fn project_path(number: usize) -> String {
    format!("{PROJECTS}/{}", project(number))
}

/// The path of a project's first page of so many members.
pub fn page(number: usize, limit: usize) -> String {
    format!("{PROJECTS}/{}/users?limit={limit}", project(number))
}

/// The path of a person in the project with this number.
pub fn member(number: usize, user: usize) -> String {
    format!("{PROJECTS}/{}/users/{}", project(number), person(user))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_full_and_only_the_last_one_has_nothing_behind_it() {
        // Behind the row at place 979 of 1000 there are 20.
        assert_eq!(cursors(From::Last, 1000, 20), 979..980);
        assert_eq!(cursors(From::Anywhere, 1000, 20), 0..979);
        assert_eq!(cursors(From::Shallow, 1000, 20), 0..100);
        assert_eq!(cursors(From::Deep, 1000, 20), 900..979);
        assert_eq!(cursors(From::Anywhere, 1000, 100), 0..899);
    }
}
