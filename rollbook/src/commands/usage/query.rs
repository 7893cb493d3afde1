//! What is asked, page by page, and the sums of what comes back.

use std::collections::BTreeMap;

use admin::usage::event::Amount;
use admin::usage::kind::Kind;
use anyhow::{Result, ensure};
use serde_json::Value;

use crate::commands::amount;
use crate::commands::client::Client;
use crate::commands::failure::Failure;

/// The most days that a page may have: of usage, and of costs.
const PAGE: &str = "31";
const PAGE_OF_COSTS: &str = "180";

/// By what is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum By {
    /// A row for each day in UTC
    Day,
    /// A row for each project
    Project,
    /// A row for each model
    Model,
    /// A row for each person and service account
    User,
}

/// A question about whole days.
pub struct Query {
    /// Of what.
    pub kind: Kind,
    /// By what.
    pub by: By,
    /// The beginning of the first day, in Unix seconds.
    pub start: i64,
    /// The end of the last day.
    pub end: i64,
}

/// What one row adds up to: as many numbers as the kind has measures; for costs, the amount alone.
pub type Sums = Vec<i128>;

/// The rows of an answer.
#[derive(Default)]
pub struct Answer {
    /// What each key adds up to. Days have their beginning as key, and no key is usage that names none.
    pub rows: BTreeMap<Option<String>, Sums>,
    /// Addresses that the rows themselves tell, by the id of the person.
    pub emails: BTreeMap<String, String>,
}

impl Query {
    /// Asks for all pages and adds up.
    pub fn run(&self, client: &Client) -> Result<Answer> {
        let mut answer = Answer::default();
        let mut page = None;
        loop {
            let body = client.get(&self.path(page.as_deref()))?;
            for bucket in body["data"].as_array().into_iter().flatten() {
                self.add(&mut answer, bucket)?;
            }
            let next = body["next_page"].as_str().map(str::to_owned);
            let Some(next) = next else { return Ok(answer) };
            let endless = || {
                Failure::refused("the server gave the same page twice, so its answer has no end")
            };
            ensure!(page.as_ref() != Some(&next), endless());
            page = Some(next);
        }
    }

    fn path(&self, page: Option<&str>) -> String {
        let (path, limit) = match self.kind {
            Kind::Costs => ("/organization/costs".to_owned(), PAGE_OF_COSTS),
            kind => (format!("/organization/usage/{}", kind.name()), PAGE),
        };
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("start_time", &self.start.to_string());
        query.append_pair("end_time", &self.end.to_string());
        query.append_pair("bucket_width", "1d").append_pair("limit", limit);
        if let Some(member) = self.member() {
            query.append_pair("group_by[]", member);
        }
        if let Some(page) = page {
            query.append_pair("page", page);
        }
        format!("{path}?{}", query.finish())
    }

    /// The member of rows by which they are told apart.
    pub fn member(&self) -> Option<&'static str> {
        match (self.by, self.kind) {
            (By::Day, _) => None,
            (By::Project, _) => Some("project_id"),
            (By::User, _) => Some("user_id"),
            (By::Model, Kind::Costs) => Some("line_item"),
            (By::Model, _) => Some("model"),
        }
    }

    fn add(&self, answer: &mut Answer, bucket: &Value) -> Result<()> {
        if self.by == By::Day {
            // A day without usage is a row too.
            let day = bucket["start_time"].to_string();
            answer.rows.entry(Some(day)).or_insert_with(|| vec![0; self.width()]);
        }
        for row in bucket["results"].as_array().into_iter().flatten() {
            let key = match self.member() {
                None => Some(bucket["start_time"].to_string()),
                Some(member) => row[member].as_str().map(|text| self.key(text)),
            };
            if let (Some(id), Some(email)) = (row["user_id"].as_str(), row["user_email"].as_str()) {
                answer.emails.insert(id.to_owned(), email.to_owned());
            }
            let sums = answer.rows.entry(key).or_insert_with(|| vec![0; self.width()]);
            for (sum, number) in sums.iter_mut().zip(self.numbers(row)?) {
                *sum += number;
            }
        }
        Ok(())
    }

    /// A line item of costs names the model, and behind it what of it was used.
    fn key(&self, text: &str) -> String {
        let item = text.rsplit_once(", ").map(|(model, _)| model);
        item.filter(|_| self.kind == Kind::Costs && self.by == By::Model).unwrap_or(text).to_owned()
    }

    fn width(&self) -> usize {
        if self.kind == Kind::Costs { 1 } else { self.kind.measures().len() }
    }

    fn numbers(&self, row: &Value) -> Result<Sums> {
        if self.kind != Kind::Costs {
            let number = |member: &&str| i128::from(row[*member].as_u64().unwrap_or_default());
            return Ok(self.kind.measures().iter().map(number).collect());
        }
        Ok(vec![cost(&row["amount"]["value"])?])
    }
}

/// An amount of an answer. It should be a number; servers have been seen that sent a text.
fn cost(value: &Value) -> Result<Amount> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let unreadable =
        || Failure::refused(&format!("the server gave an amount that is none: {text}"));
    amount::parse(&text).ok_or_else(|| unreadable().into())
}
