//! One way to speak the API, on two roads: to a store on this machine in this process, or to a server.

use anyhow::{Result, ensure};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::exchange::{Answer, Request};
use super::failure::Failure;
use super::local::Local;
use super::remote::Remote;

/// How many rows a page has: the most that every list allows.
const PAGE: &str = "100";
/// What an id keeps in a path. A full stop is not in it: a segment of one or two would mean another path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'~');

/// Somebody who answers requests.
pub enum Client {
    /// The API in this process, on a store of this machine.
    Local(Local),
    /// A server.
    Remote(Remote),
}

impl Client {
    /// Retrieves one object.
    pub fn get(&self, path: &str) -> Result<Value> {
        self.answer(Request { method: "GET", path, body: None })
    }

    /// The object, or nothing where there is none.
    pub fn find(&self, path: &str) -> Result<Option<Value>> {
        let (status, body) = self.send(Request { method: "GET", path, body: None })?;
        if status == 404 { Ok(None) } else { accepted(status, body).map(Some) }
    }

    /// Creates or changes something.
    pub fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.answer(Request { method: "POST", path, body: Some(body) })
    }

    /// Deletes something.
    pub fn delete(&self, path: &str) -> Result<Value> {
        self.answer(Request { method: "DELETE", path, body: None })
    }

    /// Walks a list to its end, a page at a time.
    pub fn list<'c>(&'c self, path: &str, query: &[(&str, &str)]) -> Rows<'c> {
        let query = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Rows {
            client: self,
            path: path.to_owned(),
            query: query.collect(),
            page: Vec::new().into_iter(),
            next: Some(String::new()),
        }
    }

    fn answer(&self, request: Request<'_>) -> Result<Value> {
        let (status, body) = self.send(request)?;
        accepted(status, body)
    }

    fn send(&self, request: Request<'_>) -> Result<Answer> {
        match self {
            Self::Local(local) => local.send(request),
            Self::Remote(remote) => remote.send(request),
        }
    }
}

fn accepted(status: u16, body: Value) -> Result<Value> {
    if status == 200 { Ok(body) } else { Err(Failure::of_answer(status, &body).into()) }
}

/// An id as a segment of a path.
pub fn segment(id: &str) -> String {
    utf8_percent_encode(id, SEGMENT).to_string()
}

/// The path of a page of a list, behind a cursor if it is not empty.
pub fn page_of<N: AsRef<str>, V: AsRef<str>>(path: &str, query: &[(N, V)], after: &str) -> String {
    let mut text = form_urlencoded::Serializer::new(String::new());
    text.extend_pairs(query).append_pair("limit", PAGE);
    if !after.is_empty() {
        text.append_pair("after", after);
    }
    format!("{path}?{}", text.finish())
}

/// The cursor of the page behind this one with these rows; none if it is the last.
pub fn cursor(page: &Value, rows: &[Value]) -> Option<String> {
    let named = page["next"].as_str().or(page["last_id"].as_str());
    let last = named.or_else(|| rows.last()?["id"].as_str());
    last.filter(|_| page["has_more"] == true && !rows.is_empty()).map(str::to_owned)
}

/// The rows of a list. Only one page of them is in memory at a time.
pub struct Rows<'c> {
    client: &'c Client,
    path: String,
    query: Vec<(String, String)>,
    page: std::vec::IntoIter<Value>,
    /// The cursor of the next page, which is empty for the first; none when this page is the last.
    next: Option<String>,
}

impl Rows<'_> {
    fn turn(&mut self, after: &str) -> Result<()> {
        let mut page = self.client.get(&page_of(&self.path, &self.query, after))?;
        let Value::Array(rows) = page["data"].take() else {
            let message = format!("the answer to GET {} is not a list", self.path);
            return Err(Failure::refused(&message).into());
        };
        let next = cursor(&page, &rows);
        ensure!(
            next.as_deref() != Some(after),
            Failure::refused("the server gave the same page twice, so its list has no end")
        );
        self.next = next;
        self.page = rows.into_iter();
        Ok(())
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Value>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(row) = self.page.next() {
                return Some(Ok(row));
            }
            let after = self.next.take()?;
            if let Err(error) = self.turn(&after) {
                return Some(Err(error));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::segment;

    #[test]
    fn an_id_stays_one_segment() {
        assert_eq!(segment("role_proj_a~b-1"), "role_proj_a~b-1");
        assert_eq!(segment("a/b?c#d e.f%"), "a%2Fb%3Fc%23d%20e%2Ef%25");
        assert_eq!(segment(".."), "%2E%2E");
    }
}
