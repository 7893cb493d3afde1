//! Reads a server, or what was read of it before.

use anyhow::{Result, bail, ensure};
use indicatif::ProgressBar;
use serde_json::Value;

use super::journal::Journal;
use crate::commands::client::{cursor, page_of};
use crate::commands::exchange::{Answer, Request};
use crate::commands::failure::Failure;
use crate::commands::remote::Remote;

/// Somebody who asks a server once for each thing.
pub struct Reader {
    remote: Remote,
    journal: Journal,
    bar: ProgressBar,
    asked: u64,
    left_out: Vec<(String, String)>,
}

impl Reader {
    /// Asks this server for what the journal does not know.
    pub fn new(remote: Remote, journal: Journal, bar: ProgressBar) -> Self {
        Self { remote, journal, bar, asked: 0, left_out: Vec::new() }
    }

    /// The journal, how many answers there were, and what could not be read.
    pub fn finish(self) -> (Journal, u64, Vec<(String, String)>) {
        self.bar.finish_and_clear();
        (self.journal, self.asked, self.left_out)
    }

    /// The object, or nothing where the server shows none to this key, which is told at the end.
    pub fn get(&mut self, path: &str) -> Result<Option<Value>> {
        let answer = self.answer(path)?;
        self.shown(path, answer)
    }

    /// The object, or nothing where none was set.
    pub fn find(&mut self, path: &str) -> Result<Option<Value>> {
        let answer = self.answer(path)?;
        if answer.0 == 404 { Ok(None) } else { self.shown(path, answer) }
    }

    /// All rows of a list; none where the server does not show it to this key.
    pub fn list(&mut self, path: &str, query: &[(&str, &str)]) -> Result<Vec<Value>> {
        Ok(self.list_if_shown(path, query)?.unwrap_or_default())
    }

    /// The same where a list that is not shown is something else than an empty one.
    pub fn list_if_shown(
        &mut self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Option<Vec<Value>>> {
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let Some(mut page) = self.get(&page_of(path, query, &after))? else {
                return Ok(None);
            };
            let Value::Array(rows) = page["data"].take() else {
                let message = format!("the answer to GET {path} is not a list");
                return Err(Failure::refused(&message).into());
            };
            let next = cursor(&page, &rows);
            all.extend(rows);
            let Some(next) = next else { return Ok(Some(all)) };
            ensure!(
                next != after,
                Failure::refused("the server gave the same page twice, so its list has no end")
            );
            after = next;
        }
    }

    fn answer(&mut self, path: &str) -> Result<Answer> {
        self.asked += 1;
        self.bar.set_prefix(self.asked.to_string());
        self.bar.set_message(path.to_owned());
        self.bar.tick();
        if let Some(known) = self.journal.known(path) {
            return Ok(known);
        }
        let answer = self.remote.send(Request { method: "GET", path, body: None })?;
        // What a server cannot do now it may do later, and a key that is refused now may be another one then.
        if matches!(answer.0, 200 | 400 | 404 | 405 | 501) {
            self.journal.keep(path, &answer)?;
        }
        Ok(answer)
    }

    fn shown(&mut self, path: &str, (status, body): Answer) -> Result<Option<Value>> {
        match status {
            200 => Ok(Some(body)),
            // A server need not have every operation, and a key need not be good for all of them.
            400 | 403 | 404 | 405 | 501 => {
                let reason = Failure::of_answer(status, &body).to_string();
                let reason = reason.lines().next().unwrap_or_default().to_owned();
                self.left_out.push((path.to_owned(), reason));
                Ok(None)
            }
            _ => bail!(Failure::of_answer(status, &body)),
        }
    }
}
