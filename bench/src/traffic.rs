//! What is asked: pages of 20 rows, each with another key, of another project, behind another member.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use http_body_util::Empty;
use hyper::Request;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, HOST, HeaderValue};

use crate::fill::{Filled, member};

/// The rows of a page.
pub const ROWS: usize = 20;

/// Requests about one store.
pub struct Traffic {
    pub address: SocketAddr,
    host: HeaderValue,
    keys: Vec<HeaderValue>,
    projects: Vec<(String, usize)>,
}

impl Traffic {
    pub fn new(address: SocketAddr, filled: &Filled) -> Result<Self> {
        let header = |key: &String| HeaderValue::try_from(format!("Bearer {key}"));
        let keys = filled.keys.iter().map(header).collect::<Result<_, _>>()?;
        let is_full = |(_, size): &(String, usize)| *size > ROWS + 1;
        ensure!(filled.projects.iter().all(is_full), "a project is smaller than a page");
        let host = HeaderValue::try_from(address.to_string())?;
        Ok(Self { address, host, keys, projects: filled.projects.clone() })
    }

    /// The next request, of a full page that is not the last one: then all answers are equally long.
    pub fn request(&self, random: &mut Rng) -> Result<Request<Empty<Bytes>>> {
        let key = random.choice(&self.keys).context("no key")?;
        let project = random.usize(..self.projects.len());
        let (id, size) = &self.projects[project];
        let after = member(project, random.usize(..size - ROWS - 1));
        Ok(Request::get(format!("/v1/organization/projects/{id}/users?limit={ROWS}&after={after}"))
            .header(HOST, &self.host)
            .header(AUTHORIZATION, key)
            .body(Empty::new())?)
    }
}
