//! `rollbook check`: what a key opens.

use std::io::{IsTerminal, Write, stderr, stdin};

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};

use super::client::Client;
use super::failure::Failure;
use super::find::text;
use super::output::Output;
use super::place::Place;
use super::remote::Remote;
use crate::config::CHECK_KEY;

/// The flags of `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// What somebody wants to do, such as api.responses.write
    #[arg(long)]
    permission: Option<String>,
    /// The model that somebody wants to use
    #[arg(long)]
    model: Option<String>,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

impl Check {
    /// Asks, shows the answer, and fails if it is no.
    pub fn run(&self) -> Result<()> {
        let key = key()?;
        let answer = self.client(&key)?.post("/rollbook/v1/check", &self.body(&key))?;
        if answer["allowed"] == true {
            return self.output.done(&answer, &sentence(&answer));
        }
        if self.output.json {
            self.output.done(&answer, "")?;
        }
        let refusal = Failure::not_allowed(&sentence(&answer));
        Err(refusal.note("reason", &text(&answer, "reason")).into())
    }

    /// Whoever asks a server needs no other key than the one in question.
    fn client(&self, key: &str) -> Result<Client> {
        match &self.place.server {
            Some(url) => Ok(Client::Remote(Remote::with_key(url, key)?)),
            None => self.place.client(),
        }
    }

    fn body(&self, key: &str) -> Value {
        json!({ "key": key, "permission": self.permission, "model": self.model })
    }
}

/// The answer in words: what was decided, about whose key, and how much of the model there is for it.
fn sentence(answer: &Value) -> String {
    let owner = ["/owner/email", "/owner/name", "/owner/id"];
    let owner = owner.iter().find_map(|place| answer.pointer(place)?.as_str());
    let project = answer.pointer("/project/name").and_then(Value::as_str);
    let message = text(answer, "message");
    let whose = match (owner, project) {
        (Some(owner), Some(project)) => {
            format!(" It belongs to {owner} in project '{project}'.")
        }
        _ => String::new(),
    };
    format!("{message}{whose}{}{}", listed(answer), limited(answer))
}

/// Which models the project may use, if that is limited.
fn listed(answer: &Value) -> String {
    let list = &answer["model_permissions"];
    let ids = list["model_ids"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let ids: Vec<_> = ids.collect();
    match (list["mode"].as_str(), ids.is_empty()) {
        (Some("allow_list"), true) => " The project may use no model.".to_owned(),
        (Some("allow_list"), false) => format!(" The project may use only {}.", ids.join(", ")),
        (Some(_), false) => format!(" The project may not use {}.", ids.join(", ")),
        _ => String::new(),
    }
}

/// How much of the model that was asked for the project may use.
fn limited(answer: &Value) -> String {
    let limit = &answer["rate_limit"];
    let number = |name: &str| limit[name].as_i64();
    match (number("max_requests_per_1_minute"), number("max_tokens_per_1_minute")) {
        (Some(requests), Some(tokens)) => {
            let model = text(limit, "model");
            format!(" Of {model} it has {requests} requests and {tokens} tokens a minute.")
        }
        _ => String::new(),
    }
}

/// The key: from the environment, or a line of standard input. An argument is for everybody to see.
fn key() -> Result<String> {
    let mut key = std::env::var(CHECK_KEY).unwrap_or_default();
    if key.trim().is_empty() {
        if stdin().is_terminal() {
            write!(stderr(), "The key: ")?;
        }
        stdin().read_line(&mut key)?;
    }
    if key.trim().is_empty() {
        let message =
            format!("there is no key to check; put it into {CHECK_KEY} or standard input");
        return Err(Failure::refused(&message).into());
    }
    Ok(key.trim().to_owned())
}
